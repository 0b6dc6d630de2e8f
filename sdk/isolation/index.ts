export { type PresentIsolation, presentIsolation } from "./aliases.js";
export {
  type AllowedDevice,
  allowedDevices,
  deviceNumbers,
  devicesOf,
  findAllowedDevice,
  type HostDevice,
} from "./devices.js";
export { type HostNeeds, isolationNames, unavailableIsolation, unmetNeed } from "./isolation.js";
export { Limitation } from "./limitation.js";
