import type { Task, TaskStatus } from "../../../proto/gen/mesos/v1/mesos.js";
import { MAX_TASK_STATUSES } from "../../../sdk/task-states.js";

export { makeTask } from "../../../sdk/make-task.js";

/** Adds a status without its data; of consecutive ones in the same state the latest is kept. */
export function noteStatus(task: Task, status: TaskStatus): void {
  if (task.statuses.at(-1)?.state === status.state) task.statuses.pop();
  else if (task.statuses.length >= MAX_TASK_STATUSES) task.statuses.splice(1, 1);
  task.statuses.push(status.data === undefined ? status : { ...status, data: undefined });
  task.state = status.state;
}
