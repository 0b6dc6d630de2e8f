import { type Task, type TaskInfo, TaskState, type TaskStatus } from "../../proto/gen/mesos/v1/mesos.js";

/** A task as the agent accounts for it and as the master gets it at a re-registration. */
export function makeTask(info: TaskInfo, frameworkId: string): Task {
  const { command, executor } = info;
  const user = command?.user ?? executor?.command?.user;
  return {
    name: info.name,
    task_id: info.task_id,
    framework_id: { value: frameworkId },
    // Command tasks have none: their executor is the agent's own invention.
    executor_id: executor?.executor_id,
    agent_id: info.agent_id,
    state: TaskState.TASK_STAGING,
    resources: info.resources,
    statuses: [],
    labels: info.labels,
    discovery: info.discovery,
    container: info.container,
    health_check: info.health_check,
    kill_policy: info.kill_policy,
    limits: info.limits,
    ...(user !== undefined && { user }),
  };
}

/** Notes a status, but for its data; of several in the same state the latest stands, so the list stays short. */
export function noteStatus(task: Task, status: TaskStatus): void {
  if (task.statuses.at(-1)?.state === status.state) task.statuses.pop();
  task.statuses.push(status.data === undefined ? status : { ...status, data: undefined });
  task.state = status.state;
}
