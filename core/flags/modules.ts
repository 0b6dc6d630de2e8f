/** Names under which flags select modules: Mesos's modules, which are plugins here, and Tepui's own. */
export const LOGROTATE = "org_apache_mesos_LogrotateContainerLogger";
export const LOAD_QOS = "org_apache_mesos_LoadQoSController";
export const ESTIMATORS = [
  "org_apache_mesos_FixedResourceEstimator",
  "tepui_UsageSlackResourceEstimator",
] as const;

/** Modules that take parameters from `--modules`. */
export const BUILT_IN_MODULES: readonly string[] = [LOGROTATE, LOAD_QOS, ...ESTIMATORS];
