import {
  type StatusUpdateRecord,
  StatusUpdateRecord_Type,
} from "../../../proto/gen/mesos/internal/messages.js";
import { type ExecutorInfo, type Task, TaskState } from "../../../proto/gen/mesos/v1/mesos.js";
import { validateResources } from "../../../sdk/resources/index.js";
import { UUID_BYTES } from "../executors/executor-call-validation.js";
import type { RunIds } from "../paths.js";
import { uuidKey } from "../updates/update-stream.js";

/* What is wrong with a record that could be decoded; undefined: nothing. */

/** The record is about something else than its directory. */
export function other(
  what: string,
  id: { readonly value?: string | undefined } | undefined,
  expected: string,
): string | undefined {
  return id?.value === expected ? undefined : `it is of the ${what} '${id?.value ?? ""}'`;
}

export function executorProblem(info: ExecutorInfo, ids: Omit<RunIds, "containerId">): string | undefined {
  const { executor_id: id, framework_id: frameworkId, resources } = info;
  const wrongFramework =
    frameworkId === undefined ? undefined : other("framework", frameworkId, ids.frameworkId);
  return other("executor", id, ids.executorId) ?? wrongFramework ?? validateResources(resources);
}

export function taskProblem(
  task: Task,
  { frameworkId, agentId }: RunIds,
  taskId: string,
): string | undefined {
  return (
    other("task", task.task_id, taskId) ??
    other("framework", task.framework_id, frameworkId) ??
    other("agent", task.agent_id, agentId) ??
    (isState(task.state) ? undefined : "its state is unknown") ??
    validateResources(task.resources)
  );
}

export function updateProblem(
  { type, update, uuid }: StatusUpdateRecord,
  of: { frameworkId: string; taskId: string; seen: ReadonlySet<string> },
): string | undefined {
  if (type === StatusUpdateRecord_Type.ACK) {
    return of.seen.has(uuidKey(uuid)) ? undefined : "an update was acknowledged that is not in it";
  }
  if (type !== StatusUpdateRecord_Type.UPDATE || update === undefined)
    return "a record in it is no update and no acknowledgement";
  const { status } = update;
  return (
    other("task", status?.task_id, of.taskId) ??
    other("framework", update.framework_id, of.frameworkId) ??
    (update.uuid?.length === UUID_BYTES ? undefined : "an update has no UUID") ??
    (isState(status?.state) ? undefined : "an update has an unknown state")
  );
}

const isState = (state: TaskState | undefined): boolean =>
  state !== undefined && TaskState[state] !== undefined;
