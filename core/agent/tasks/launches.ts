import type { RunTaskGroupMessage, RunTaskMessage } from "../../../proto/gen/mesos/internal/messages.js";
import {
  type ExecutorInfo,
  ExecutorInfo_Type,
  type FrameworkInfo,
  TaskStatus_Reason as Reason,
  TaskStatus_Source as Source,
} from "../../../proto/gen/mesos/v1/mesos.js";
import type { Logger } from "../../../sdk/contracts/logger.js";
import type { Random } from "../../../sdk/contracts/random.js";
import { isTepuiError, messageOf, TepuiError } from "../../../sdk/errors/index.js";
import { Resources } from "../../../sdk/resources/index.js";
import type { Checkpoints } from "../checkpoint.js";
import type { Disk, DiskOperation } from "../disk/operations.js";
import { commandExecutorInfo } from "../executors/command-executor-info.js";
import { Executor } from "../executors/executor.js";
import { commandProgram, defaultProgram } from "../executors/executor-programs.js";
import { Framework } from "../framework.js";
import type { GarbageCollector } from "../garbage-collector.js";
import type { AgentOptions } from "../options.js";
import type { AgentPaths } from "../paths.js";
import type { CheckpointedResources } from "../resources/checkpointed-resources.js";
import { withAllocation, withAllocations } from "./allocations.js";
import {
  type Launch,
  LaunchRefusals,
  type LaunchRefusalsOptions,
  type LaunchTerms,
} from "./launch-refusals.js";
import type { Statuses } from "./statuses.js";
import type { TaskContainers } from "./task-containers.js";
import { dropped, type Refusal } from "./task-refusal.js";

export interface LaunchesOptions extends LaunchRefusalsOptions {
  readonly agent: AgentOptions;
  readonly resources: Pick<CheckpointedResources, "pending">;
  readonly containers: TaskContainers;
  readonly statuses: Statuses;
  readonly checkpoints: Checkpoints;
  readonly paths: AgentPaths;
  readonly disk: Disk;
  readonly gc: GarbageCollector;
  readonly random: Random;
  readonly logger: Logger;
  /** Re-registers with the master. */
  readonly reregister: () => void;
  /** A running custom executor has a new task to receive. */
  readonly deliver: (executor: Executor) => void;
  /** Tells the master, which waits for an executor that will not come. */
  readonly executorNotLaunched: (frameworkId: string, executorId: string) => void;
}

/** Tasks for an executor that exists already. */
interface Added {
  readonly taskIds: readonly string[];
  /** The records of the tasks. */
  readonly record: readonly DiskOperation[];
  /** What they have to wait for. */
  readonly after: Promise<void> | undefined;
}

/** Launches tasks: from the master's message to a running container, or to a status update that says why not. */
export class Launches {
  private readonly refusals: LaunchRefusals;

  constructor(private readonly options: LaunchesOptions) {
    this.refusals = new LaunchRefusals(options);
  }

  /** Returns the framework, added if it is new here. */
  framework(info: FrameworkInfo, pid: string | undefined): Framework {
    const { state, gc, paths } = this.options;
    const id = info.id!.value!;
    const known = state.frameworks.get(id);
    if (known !== undefined) return known;
    const ids = { agentId: state.id, frameworkId: id };
    gc.unschedule(paths.work.framework(ids));
    gc.unschedule(paths.meta.framework(ids));
    const framework = new Framework(id, info, pid);
    state.addFramework(framework);
    return framework;
  }

  runTask(message: RunTaskMessage): void {
    const info = message.framework!;
    const task = withAllocations(message.task!, info);
    this.run(message, {
      framework: this.framework(info, message.pid),
      tasks: [task],
      executorInfo:
        task.executor ??
        commandExecutorInfo(info, task, commandProgram(this.options.agent.executorPrograms, task)),
      group: undefined,
    });
  }

  /** Runs all tasks of the group, or none. */
  runTaskGroup(message: RunTaskGroupMessage): void {
    const info = message.framework!;
    const executorInfo = this.groupExecutor(withAllocation(message.executor!, info));
    const tasks = message.task_group!.tasks.map((task) =>
      withAllocations({ ...task, executor: executorInfo }, info),
    );
    this.run(message, { framework: this.framework(info, undefined), tasks, executorInfo, group: { tasks } });
  }

  private groupExecutor(info: ExecutorInfo): ExecutorInfo {
    const { executorPrograms } = this.options.agent;
    const command = info.type === ExecutorInfo_Type.DEFAULT ? defaultProgram(executorPrograms) : undefined;
    return command === undefined ? info : { ...info, command };
  }

  private run(message: LaunchTerms, launch: Launch): void {
    const { logger, executors, containers, checkpoints } = this.options;
    const { framework, tasks, executorInfo, group } = launch;
    const taskIds = tasks.map(({ task_id }) => task_id!.value!);
    if (framework.terminating) {
      logger.info({ tasks: taskIds }, "ignoring tasks: their framework is being ended");
      return;
    }
    logger.debug({ tasks: taskIds, framework: framework.id }, "asked to run tasks");
    const executorId = executorInfo.executor_id!.value!;
    const existing = framework.running.get(executorId);
    const custom = tasks[0]!.executor !== undefined;
    const refusal = this.refusals.of(launch, message, existing);
    if (refusal !== undefined) {
      for (const taskId of taskIds) this.refuse(framework, { taskId, executorId, refusal });
      if (message.launch_executor === true && existing === undefined && custom) {
        this.options.executorNotLaunched(framework.id, executorId);
      }
      executors.retirement.removeIfIdle(framework);
      // The master gets a new report.
      if (refusal.reason === Reason.REASON_INVALID_OFFERS) this.options.reregister();
      return;
    }
    const executor = existing ?? this.addExecutor(framework, executorInfo, !custom);
    for (const task of tasks) executor.queued.set(task.task_id!.value!, task);
    if (group !== undefined) executor.queuedGroups.push(group);
    const record = executor.checkpoint
      ? [
          ...(group === undefined ? [] : checkpoints.group(executor, group)),
          ...tasks.flatMap((task) => checkpoints.task(executor, task)),
        ]
      : [];
    if (existing === undefined) {
      const after = this.resourcesReady(launch);
      void containers.start(framework, executor, { tasks, record, after });
      return;
    }
    const after = this.resourcesReady(launch);
    if (record.length === 0 && after === undefined) {
      if (existing.state === "running") this.options.deliver(existing);
    } else existing.awaitRecord(this.addTasks(framework, existing, { taskIds, record, after }));
  }

  /**
   * Resolves when pending changes of reservations and volumes, which the tasks may need, are made; undefined: there are none. Rejects if
   * the resources for the tasks do not exist after all.
   */
  private resourcesReady(launch: Launch): Promise<void> | undefined {
    const { pending } = this.options.resources;
    if (pending === undefined) return undefined;
    const made = pending.then(() => {
      const unknown = this.refusals.ofResources(launch)?.message;
      const problem = unknown ?? (this.overused ? "What was to become free for it did not" : undefined);
      if (problem !== undefined) throw new TepuiError("TEPUI_CONTAINER_LAUNCH_FAILED", { text: problem });
    });
    // Possibly nobody awaits it.
    made.catch(() => undefined);
    return made;
  }

  /** Whether executors have been given more than there is. */
  private get overused(): boolean {
    const { state } = this.options;
    const live = [...state.executors()].filter((executor) => executor.state !== "terminated");
    // The master accounts nothing for executors that the agent makes up, and a shared volume as often as it is used.
    const given = live.map((executor) => (executor.generated ? executor.taskResources : executor.resources));
    const used = Resources.sum(given).unallocate().nonRevocable().nonShared();
    return !state.total.contains(used);
  }

  /** Delivers tasks to an existing executor once their records are written; otherwise they end. */
  private async addTasks(
    framework: Framework,
    executor: Executor,
    { taskIds, record, after }: Added,
  ): Promise<void> {
    const { disk, checkpoints, executors, logger, deliver } = this.options;
    for (const taskId of taskIds) executor.recording.add(taskId);
    let failure: { error: unknown } | undefined;
    try {
      await after;
      if (record.length > 0) {
        await executor.recorded;
        await disk.apply([...checkpoints.missing(executor.ids.agentId, framework), ...record]);
      }
      framework.recorded = executor.checkpoint;
    } catch (error) {
      failure = { error };
    }
    for (const taskId of taskIds) executor.recording.delete(taskId);
    if (failure === undefined) {
      if (executor.state === "running") deliver(executor);
      return;
    }
    logger.error({ err: failure.error, tasks: taskIds }, "tasks are not given to their executor");
    for (const taskId of taskIds) executor.unrecorded.add(taskId);
    for (const taskId of taskIds.filter((one) => executor.queued.has(one))) {
      executors.unfinished.endUndelivered(executor, taskId, {
        state: dropped(framework),
        reason: Reason.REASON_CONTAINER_LAUNCH_FAILED,
        message: undelivered(failure.error),
      });
    }
  }

  refuse(
    framework: Framework,
    { taskId, executorId, refusal }: { taskId: string; executorId?: string | undefined; refusal: Refusal },
  ): void {
    const source = Source.SOURCE_AGENT;
    this.options.statuses.report({ frameworkId: framework.id, taskId, executorId, source, ...refusal });
  }

  private addExecutor(framework: Framework, info: ExecutorInfo, generated: boolean): Executor {
    const { state, agent, paths, random, gc } = this.options;
    const executorId = info.executor_id!.value!;
    const ids = { agentId: state.id, frameworkId: framework.id, executorId, containerId: random.uuid() };
    gc.unschedule(paths.work.executor(ids));
    gc.unschedule(paths.meta.executor(ids));
    const executor = new Executor({
      ids,
      info: { ...info, framework_id: { value: framework.id } },
      directory: paths.work.run(ids),
      user: agent.switchUser ? (info.command?.user ?? framework.info.user) : undefined,
      checkpoint: framework.checkpoint,
      generated,
    });
    framework.running.set(executorId, executor);
    return executor;
  }
}

function undelivered(error: unknown): string {
  const message = messageOf(error);
  return isTepuiError(error) && error.code === "TEPUI_CONTAINER_LAUNCH_FAILED"
    ? message
    : `The agent could not write the task down: ${message}`;
}
