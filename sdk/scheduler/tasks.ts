import { type Resource, TaskState } from "../../proto/gen/mesos/v1/mesos.js";
import { TepuiError } from "../errors/tepui-error.js";
import { parseResources } from "../resources/index.js";

const TERMINAL: ReadonlySet<TaskState | undefined> = new Set([
  TaskState.TASK_FINISHED,
  TaskState.TASK_FAILED,
  TaskState.TASK_KILLED,
  TaskState.TASK_LOST,
  TaskState.TASK_ERROR,
  TaskState.TASK_DROPPED,
  TaskState.TASK_GONE,
  TaskState.TASK_GONE_BY_OPERATOR,
]);

/** Whether a task in this state has ended for good; an unreachable one has not. */
export function isTerminal(state: TaskState | undefined): boolean {
  return TERMINAL.has(state);
}

/**
 * Resources for a TaskInfo from Mesos's text form, `cpus:0.5;mem:64`.
 *
 * @throws TepuiError TEPUI_VALUE_INVALID
 */
export function resourceList(text: string): Resource[] {
  const resources = parseResources(text);
  if (!resources.ok)
    throw new TepuiError("TEPUI_VALUE_INVALID", { detail: `resources '${text}': ${resources.error}` });
  return resources.value.toMessages();
}
