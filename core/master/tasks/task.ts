import type { AgentID, FrameworkID, Task, TaskInfo, TaskStatus } from "../../../proto/gen/mesos/v1/mesos.js";
import { TaskState } from "../../../proto/gen/mesos/v1/mesos.js";
import type { Resources } from "../../../sdk/resources/index.js";
import { holdsResources, isTerminal, MAX_TASK_STATUSES } from "../../../sdk/task-states.js";

export interface TaskParts {
  readonly message: Task;
  readonly resources: Resources;
}

/** A task that the master tracks: the message that readers see, replaced at every change, and what is needed to account for it. */
export class TaskEntry {
  readonly id: string;
  readonly frameworkId: string;
  readonly agentId: string;
  readonly executorId: string | undefined;
  /** Allocated to `role`. */
  readonly resources: Resources;
  message: Task;

  constructor({ message, resources }: TaskParts) {
    this.message = message;
    this.resources = resources;
    this.id = message.task_id?.value ?? "";
    this.frameworkId = message.framework_id?.value ?? "";
    this.agentId = message.agent_id?.value ?? "";
    this.executorId = message.executor_id?.value;
  }

  get state(): TaskState {
    return this.message.state ?? TaskState.TASK_STAGING;
  }

  get holdsResources(): boolean {
    return holdsResources(this.message.state);
  }

  /**
   * The state that the scheduler was told last; the agent may know a later one. Undefined: it was told none, or the state is an end that
   * only its own update may report. Reported earlier, the updates in between would bring the task back to life.
   */
  get toldState(): TaskState | undefined {
    const { status_update_state: told } = this.message;
    return told ?? (isTerminal(this.state) ? undefined : this.state);
  }

  change(changes: Partial<Task>): void {
    this.message = { ...this.message, ...changes };
  }
}

/** The task as the master accepts it. `info` has allocated resources in the post-refinement format. */
export function stagingTask(
  info: TaskInfo,
  framework: { readonly idMessage: FrameworkID },
  agent: { readonly idMessage: AgentID },
): Task {
  const user = info.command?.user ?? info.executor?.command?.user;
  return {
    name: info.name,
    task_id: info.task_id,
    framework_id: framework.idMessage,
    executor_id: info.executor?.executor_id,
    agent_id: agent.idMessage,
    state: TaskState.TASK_STAGING,
    resources: info.resources,
    statuses: [],
    status_update_state: undefined,
    status_update_uuid: undefined,
    labels: info.labels,
    discovery: info.discovery,
    container: info.container,
    health_check: info.health_check,
    kill_policy: info.kill_policy,
    user,
    limits: info.limits,
  };
}

/**
 * The statuses with one more: of each run of statuses in the same state the latest is kept. Its `data` is dropped, because it belongs to
 * the scheduler and can be large.
 */
export function withStatus(statuses: readonly TaskStatus[], status: TaskStatus): TaskStatus[] {
  const kept = statuses.at(-1)?.state === status.state ? statuses.slice(0, -1) : statuses.slice();
  if (kept.length >= MAX_TASK_STATUSES) kept.splice(1, 1);
  kept.push(status.data === undefined ? status : { ...status, data: undefined });
  return kept;
}
