import { Event_Type } from "../../../proto/gen/mesos/v1/executor/executor.js";
import {
  TaskStatus_Reason as Reason,
  TaskStatus_Source as Source,
  type TaskGroupInfo,
  type TaskInfo,
  TaskState,
} from "../../../proto/gen/mesos/v1/mesos.js";
import type { Logger } from "../../../sdk/contracts/logger.js";
import { messageOf } from "../../../sdk/errors/index.js";
import type { AgentState } from "../agent-state.js";
import type { ContainerSizes } from "../tasks/container-sizes.js";
import type { Statuses } from "../tasks/statuses.js";
import { makeTask } from "../tasks/task.js";
import type { Executor } from "./executor.js";
import type { Executors } from "./executors.js";

export interface DeliveriesOptions {
  readonly state: AgentState;
  readonly executors: Executors;
  readonly statuses: Statuses;
  readonly sizes: ContainerSizes;
  readonly logger: Logger;
}

/** Delivers to running executors: tasks, once their container has been resized for them, and messages. */
export class Deliveries {
  constructor(private readonly options: DeliveriesOptions) {}

  /** Delivers the queued tasks of a running executor, once its container has been resized for them. */
  deliver(executor: Executor): void {
    const waiting = [...executor.queued].flatMap(([id, task]) => (executor.recording.has(id) ? [] : [task]));
    if (waiting.length === 0) return;
    this.options.sizes
      .resize(executor)
      .then(() => {
        // Without a connection the tasks would be lost; they are delivered when the executor reconnects.
        if (executor.state !== "running" || executor.connection === undefined) return;
        const { queuedGroups, recording } = executor;
        const isReady = ({ tasks }: TaskGroupInfo): boolean =>
          !tasks.some(({ task_id }) => recording.has(task_id!.value!));
        executor.queuedGroups = queuedGroups.filter((group) => !isReady(group));
        const grouped = new Set(queuedGroups.flatMap(({ tasks }) => tasks));
        for (const group of queuedGroups.filter(isReady)) this.launchGroup(executor, group);
        for (const task of waiting) if (!grouped.has(task)) this.launch(executor, task);
      })
      .catch((error: unknown) => this.resizeFailed(executor, error));
  }

  /** A task ended, so the container has to shrink. Resolves when it has, or when it is being destroyed because it cannot. */
  async shrink(executor: Executor): Promise<void> {
    if (executor.state !== "running") return;
    await this.options.sizes.resize(executor).catch((error: unknown) => this.resizeFailed(executor, error));
  }

  /** Bytes from the scheduler. Returns whether they could be delivered. */
  deliverMessage(executor: Executor, data: Buffer): boolean {
    if (executor.state !== "running" || executor.connection === undefined) return false;
    return executor.connection.send({ type: Event_Type.MESSAGE, message: { data } });
  }

  private resizeFailed(executor: Executor, error: unknown): void {
    const framework = this.options.state.frameworks.get(executor.ids.frameworkId);
    const message = `Failed to update resources for container: ${messageOf(error)}`;
    executor.verdict = {
      state: framework?.partitionAware === true ? TaskState.TASK_GONE : TaskState.TASK_LOST,
      reason: Reason.REASON_CONTAINER_UPDATE_FAILED,
      message,
    };
    this.options.logger.error(
      { err: error, executor: executor.id },
      "destroying a container that cannot be resized",
    );
    this.options.executors.destroy(executor);
  }

  private launch(executor: Executor, task: TaskInfo): void {
    const taskId = task.task_id!.value!;
    // Killed while the container was being resized.
    if (!executor.queued.delete(taskId)) return;
    executor.launched.set(taskId, makeTask(task, executor.ids.frameworkId));
    executor.everSentTask = true;
    executor.connection?.send({ type: Event_Type.LAUNCH, launch: { task } });
  }

  private launchGroup(executor: Executor, group: TaskGroupInfo): void {
    if (executor.driver !== undefined) {
      this.refuseGroup(executor, group);
      return;
    }
    for (const task of group.tasks) {
      executor.queued.delete(task.task_id!.value!);
      executor.launched.set(task.task_id!.value!, makeTask(task, executor.ids.frameworkId));
    }
    executor.everSentTask = true;
    executor.connection?.send({ type: Event_Type.LAUNCH_GROUP, launch_group: { task_group: group } });
  }

  /** The v0 driver has no message for a group. Mesos sends one that the driver does not know, and the tasks never end. */
  private refuseGroup({ ids }: Executor, { tasks }: TaskGroupInfo): void {
    for (const { task_id } of tasks) {
      this.options.statuses.report({
        frameworkId: ids.frameworkId,
        taskId: task_id!.value!,
        executorId: ids.executorId,
        state: TaskState.TASK_FAILED,
        source: Source.SOURCE_AGENT,
        reason: Reason.REASON_TASK_INVALID,
        message: "Executors of the v0 driver cannot launch task groups",
      });
    }
  }
}
