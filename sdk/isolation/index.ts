export { type PresentIsolation, presentIsolation } from "./aliases.js";
export { type HostNeeds, isolationNames, unavailableIsolation, unmetNeed } from "./isolation.js";
