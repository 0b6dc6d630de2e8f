export { inTime } from "./in-time.js";
export { pause } from "./pause.js";
export { Rounds, type RoundsOptions } from "./rounds.js";
