export { BYTE_UNITS, type Bytes, type ByteUnit, formatBytes, parseBytes } from "./bytes.js";
export {
  DURATION_UNITS,
  type Duration,
  type DurationUnit,
  durationFromNs,
  durationToNs,
  formatDuration,
  parseDuration,
} from "./duration.js";
export { formatPercent, type Percent, parsePercent } from "./percent.js";
export { formatRate, parseRate, type Rate } from "./rate.js";
