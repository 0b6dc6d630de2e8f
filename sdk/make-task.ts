import { type Task, type TaskInfo, TaskState } from "../proto/gen/mesos/v1/mesos.js";

/** A task that was asked for, as one that has not begun: as agents account for it, and masters and operators are told of it. */
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
