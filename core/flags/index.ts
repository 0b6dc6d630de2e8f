export type { Assignment, Origin, OriginKind } from "./assignment.js";
export { DAEMON_FLAGS, DAEMON_SETTINGS, loadDaemonFlags } from "./daemon-flags.js";
export { type EffectiveSetting, effectiveSettings, type ManifestSetting } from "./effective-settings.js";
export type { FlagSpec, FlagType, Support } from "./flag-spec.js";
export { type FlagSources, type GivenFlag, type LoadedFlags, loadFlags } from "./load-flags.js";
export { LOCAL_FLAGS } from "./local-flags.js";
export { startChecks } from "./start-checks.js";
export { type SettingValue, TypedSettings } from "./typed-settings.js";
export { usage } from "./usage.js";
