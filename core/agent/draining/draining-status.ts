import type { StatusUpdate } from "../../../proto/gen/mesos/internal/messages.js";
import {
  type DrainConfig,
  TaskStatus_Reason as Reason,
  TaskState,
} from "../../../proto/gen/mesos/v1/mesos.js";
import type { Framework } from "../framework.js";

/**
 * A status update as it is sent while the agent drains: draining is the reason why tasks are killed. If the agent is to be marked gone
 * afterwards, killed tasks become TASK_GONE_BY_OPERATOR, for frameworks that know that state.
 *
 * Mesos turns TASK_KILLING into TASK_GONE_BY_OPERATOR as well, which ends tasks too early: the agent could be gone while they still use
 * their grace period.
 */
export function asDraining(update: StatusUpdate, framework: Framework, config: DrainConfig): StatusUpdate {
  const state = update.status?.state;
  if (state !== TaskState.TASK_KILLING && state !== TaskState.TASK_KILLED) return update;
  const gone = state === TaskState.TASK_KILLED && config.mark_gone === true && framework.partitionAware;
  const status = { ...update.status!, reason: Reason.REASON_AGENT_DRAINING };
  return { ...update, status: gone ? { ...status, state: TaskState.TASK_GONE_BY_OPERATOR } : status };
}
