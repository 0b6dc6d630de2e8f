/** The form in which Mesos's older endpoints show tasks, executors and daemons, shared by those of the master and of the agent. */
export { type BuildInfo, buildFieldsJson, buildInfo, versionInfo, versionJson } from "./build-info.js";
export { commandJson, executorFieldsJson, executorTypeName } from "./executor.js";
export {
  agentCapabilitiesJson,
  agentInfoFieldsJson,
  domainJson,
  frameworkCapabilitiesJson,
  masterCapabilitiesJson,
  masterInfoJson,
} from "./info.js";
export { memo } from "./memo.js";
export { fieldsJson, type JsonField, sortedFields } from "./sorted.js";
export { allocationRoleOf, changingTaskJson, flatResourcesJson, labelsJson, taskJson } from "./task.js";
export { flatten, listOf, mapJson, quote, stringsJson, timeJson } from "./text.js";
