import { TaskState, type TaskStatus, TaskStatus_Reason } from "../../proto/gen/mesos/v1/mesos.js";

/** State, reason, what its check found, and message. */
export function statusText({ state, reason, check_status, message }: TaskStatus): string {
  return [
    TaskState[state!],
    ...(reason === undefined ? [] : [TaskStatus_Reason[reason]]),
    ...(check_status === undefined ? [] : [JSON.stringify(check_status.command)]),
    ...(message === undefined || message === "" ? [] : [`"${message}"`]),
  ].join(" ");
}

/** What became of a task, one status after the other. */
export function historyOf(updates: readonly TaskStatus[], taskId: string): string[] {
  return updates.filter(({ task_id }) => task_id?.value === taskId).map(statusText);
}
