export { type Bytes, formatBytes, parseBytes } from "./bytes.js";
export { type Duration, durationFromNs, durationToNs, formatDuration, parseDuration } from "./duration.js";
export { formatPercent, type Percent, parsePercent } from "./percent.js";
export { formatRate, parseRate, type Rate } from "./rate.js";
