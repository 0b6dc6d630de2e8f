import type { Resource } from "../../proto/gen/mesos/v1/mesos.js";
import { TaskStatus_Reason as Reason, type TaskInfo, TaskState } from "../../proto/gen/mesos/v1/mesos.js";
import { needsCheckpoint, Resources } from "../../sdk/resources/index.js";
import { unsupportedVariables } from "./executor-environment.js";
import type { Framework } from "./framework.js";

/** Why a task cannot run here at all. */
export interface Refusal {
  readonly state: TaskState;
  readonly reason: Reason;
  readonly message: string;
}

/** The state for a task that was never started: TASK_LOST for frameworks that know no better. */
export const dropped = (framework: Framework): TaskState =>
  framework.partitionAware ? TaskState.TASK_DROPPED : TaskState.TASK_LOST;

/** What a task asks for that this agent does not have. Running it without would be less than was asked for. */
export function refusalOf(task: TaskInfo, framework: Framework): Refusal | undefined {
  if (Object.keys(task.limits).length > 0) {
    const names = Object.keys(task.limits).sort().join(", ");
    return {
      state: dropped(framework),
      reason: Reason.REASON_TASK_INVALID,
      message: `Limits (${names}) can only be set on tasks when the agent has loaded the 'cgroups/cpu' and 'cgroups/mem' isolators`,
    };
  }
  // Custom executors run checks by themselves.
  if (task.executor === undefined) {
    if (task.check !== undefined) return invalid("Checks ('TaskInfo.check') are not supported by this agent");
    if (task.health_check !== undefined) {
      return invalid("Health checks ('TaskInfo.health_check') are not supported by this agent");
    }
  }
  const secrets = [...unsupportedVariables(task.command), ...unsupportedVariables(task.executor?.command)];
  if (secrets.length > 0) {
    return invalid(
      `Environment variables of type SECRET (${secrets.join(", ")}) are not supported by this agent`,
    );
  }
  return undefined;
}

const invalid = (message: string): Refusal => ({
  state: TaskState.TASK_ERROR,
  reason: Reason.REASON_TASK_INVALID,
  message,
});

/** Reservations and volumes that the task uses and the agent does not have: the master's view is out of date. */
export function usesUnknown(resources: readonly Resource[], checkpointed: Resources): boolean {
  const used = Resources.of(resources).unallocate().filter(needsCheckpoint);
  return !used.isEmpty && !checkpointed.contains(used);
}
