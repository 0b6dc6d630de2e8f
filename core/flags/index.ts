export { DAEMON_FLAGS, DAEMON_SETTINGS, loadDaemonFlags } from "./daemon-flags.js";
export { effectiveSettings } from "./effective-settings.js";
export { startChecks } from "./start-checks.js";
export { TypedSettings } from "./typed-settings.js";
export { usage } from "./usage.js";
