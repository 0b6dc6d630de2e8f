/** Modules by the names under which flags choose them: Mesos's, which are plugins here, and Tepui's own. */
export const LOGROTATE = "org_apache_mesos_LogrotateContainerLogger";
export const LOAD_QOS = "org_apache_mesos_LoadQoSController";
export const ESTIMATORS = [
  "org_apache_mesos_FixedResourceEstimator",
  "tepui_UsageSlackResourceEstimator",
] as const;

/** Those that take parameters from `--modules`. */
export const BUILT_IN_MODULES: readonly string[] = [LOGROTATE, LOAD_QOS, ...ESTIMATORS];
