import type { RunTaskGroupMessage, RunTaskMessage } from "../../../proto/gen/mesos/internal/messages.js";
import {
  type ExecutorInfo,
  ExecutorInfo_Type,
  type FrameworkInfo,
  TaskStatus_Reason as Reason,
  type Resource,
  TaskStatus_Source as Source,
  type TaskGroupInfo,
  type TaskInfo,
} from "../../../proto/gen/mesos/v1/mesos.js";
import type { Containerizer } from "../../../sdk/contracts/containerizer.js";
import type { Logger } from "../../../sdk/contracts/logger.js";
import type { Random } from "../../../sdk/contracts/random.js";
import { isTepuiError, messageOf, TepuiError } from "../../../sdk/errors/index.js";
import { convertResources, Resources } from "../../../sdk/resources/index.js";
import type { AgentState } from "../agent-state.js";
import type { Checkpoints } from "../checkpoint.js";
import type { TaskChecks } from "../checks/task-checks.js";
import type { Disk, DiskOperation } from "../disk/operations.js";
import { commandExecutorInfo } from "../executors/command-executor-info.js";
import { Executor } from "../executors/executor.js";
import { commandProgram, defaultProgram } from "../executors/executor-programs.js";
import type { Executors } from "../executors/executors.js";
import { Framework } from "../framework.js";
import type { GarbageCollector } from "../garbage-collector.js";
import type { ResourceVersion } from "../link/resource-version.js";
import type { AgentOptions } from "../options.js";
import type { AgentPaths } from "../paths.js";
import type { CheckpointedResources } from "../resources/checkpointed-resources.js";
import type { Statuses } from "./statuses.js";
import type { TaskContainers } from "./task-containers.js";
import { drainingRefusal, dropped, type Refusal, refusalOf, usesUnknown } from "./task-refusal.js";

export interface LaunchesOptions {
  readonly state: AgentState;
  readonly agent: AgentOptions;
  readonly resourceVersion: Pick<ResourceVersion, "is">;
  readonly resources: Pick<CheckpointedResources, "pending">;
  readonly containers: TaskContainers;
  readonly containerizers: readonly Containerizer[];
  readonly checks: TaskChecks;
  readonly executors: Executors;
  readonly statuses: Statuses;
  readonly checkpoints: Checkpoints;
  readonly paths: AgentPaths;
  readonly disk: Disk;
  readonly gc: GarbageCollector;
  readonly random: Random;
  readonly logger: Logger;
  /** Registers again with the master. */
  readonly reregister: () => void;
  /** A running custom executor has a new task to get. */
  readonly deliver: (executor: Executor) => void;
  /** Told to the master, which waits for an executor that will not come. */
  readonly executorNotLaunched: (frameworkId: string, executorId: string) => void;
}

interface Launch {
  readonly framework: Framework;
  /** All with a custom executor, the same one, or one alone without. */
  readonly tasks: readonly TaskInfo[];
  readonly executorInfo: ExecutorInfo;
  /** The tasks again, where they are to be delivered together. */
  readonly group: TaskGroupInfo | undefined;
}

/** Tasks for an executor that is there. */
interface Added {
  readonly taskIds: readonly string[];
  /** That they are to run. */
  readonly record: readonly DiskOperation[];
  /** What they have to wait for. */
  readonly after: Promise<void> | undefined;
}

/** Starts tasks: from the master's word to a running container, or to a status that says why not. */
export class Launches {
  constructor(private readonly options: LaunchesOptions) {}

  /** Finds the framework, or takes up a new one. */
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

  /** All of its tasks run, or none does. */
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

  private run(
    message: Pick<RunTaskMessage, "launch_executor" | "resource_version_uuids">,
    launch: Launch,
  ): void {
    const { logger, executors, containers, containerizers, checks, checkpoints } = this.options;
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
    const refusal =
      (this.options.state.draining === undefined ? undefined : drainingRefusal(framework)) ??
      tasks
        .map((task) => refusalOf(task, framework, { containerizers, checks }))
        .find((one) => one !== undefined) ??
      this.versionRefusal(framework, message.resource_version_uuids) ??
      this.resourceRefusal(framework, tasks, executorInfo) ??
      this.executorRefusal(framework, { custom, existing, launchExecutor: message.launch_executor });
    if (refusal !== undefined) {
      for (const taskId of taskIds) this.refuse(framework, { taskId, executorId, refusal });
      if (message.launch_executor === true && existing === undefined && custom) {
        this.options.executorNotLaunched(framework.id, executorId);
      }
      executors.retirement.removeIfIdle(framework);
      // The master is told anew what is here.
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
      const after = this.made(launch);
      void containers.start(framework, executor, { tasks, record, after });
      return;
    }
    const after = this.made(launch);
    if (record.length === 0 && after === undefined) {
      if (existing.state === "running") this.options.deliver(existing);
    } else existing.awaitRecord(this.addTasks(framework, existing, { taskIds, record, after }));
  }

  /**
   * Resolves when reservations and volumes are changed as the tasks may need it; undefined: none is just being changed. Rejects where what the
   * tasks are to use is not there after all.
   */
  private made({ framework, tasks, executorInfo }: Launch): Promise<void> | undefined {
    const { pending } = this.options.resources;
    if (pending === undefined) return undefined;
    const made = pending.then(() => {
      const unknown = this.resourceRefusal(framework, tasks, executorInfo)?.message;
      const problem = unknown ?? (this.overused ? "What was to become free for it did not" : undefined);
      if (problem !== undefined) throw new TepuiError("TEPUI_CONTAINER_LAUNCH_FAILED", { text: problem });
    });
    // Nobody may wait for it yet.
    made.catch(() => undefined);
    return made;
  }

  /** Whether more is given to executors than there is. */
  private get overused(): boolean {
    const { state } = this.options;
    const live = [...state.executors()].filter((executor) => executor.state !== "terminated");
    // The master gives nothing for executors that the agent makes, and a shared volume as often as it is asked for.
    const given = live.map((executor) => (executor.generated ? executor.taskResources : executor.resources));
    const used = Resources.sum(given).unallocate().nonRevocable().nonShared();
    return !state.total.contains(used);
  }

  /** Gives them to an executor that is there once it is written down that they are to run; otherwise they end. */
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

  /** The master goes by an older report, and may have given to these tasks what others use. */
  private versionRefusal(
    framework: Framework,
    versions: RunTaskMessage["resource_version_uuids"],
  ): Refusal | undefined {
    const ours = versions.find(({ resource_provider_id: provider }) => provider === undefined)?.uuid?.value;
    if (ours === undefined || this.options.resourceVersion.is(ours)) return undefined;
    return {
      state: dropped(framework),
      reason: Reason.REASON_INVALID_OFFERS,
      message: "Task assumes outdated resource state",
    };
  }

  private resourceRefusal(
    framework: Framework,
    tasks: readonly TaskInfo[],
    executor: ExecutorInfo,
  ): Refusal | undefined {
    const { checkpointed } = this.options.state;
    const unknown = tasks.some(({ resources }) => usesUnknown(resources, checkpointed))
      ? "task or task group"
      : usesUnknown(executor.resources, checkpointed)
        ? "executor"
        : undefined;
    if (unknown === undefined) return undefined;
    return {
      state: dropped(framework),
      reason: Reason.REASON_RESOURCES_UNKNOWN,
      message: `The checkpointed resources being used by the ${unknown} are unknown to the agent`,
    };
  }

  /** The master says whether it expects a new executor; where that is not so, one of the two is out of date. */
  private executorRefusal(
    framework: Framework,
    of: { custom: boolean; existing: Executor | undefined; launchExecutor: boolean | undefined },
  ): Refusal | undefined {
    const { existing, launchExecutor } = of;
    const state = dropped(framework);
    const reason = Reason.REASON_EXECUTOR_TERMINATED;
    if (!of.custom) {
      if (existing === undefined) return undefined;
      const message = "Cannot reuse an already existing executor for a command task";
      return { state, reason: Reason.REASON_TASK_INVALID, message };
    }
    if (existing === undefined) {
      if (launchExecutor !== false) return undefined;
      return { state, reason, message: "No executor is expected to launch and there is none running" };
    }
    if (launchExecutor === true) {
      this.options.executors.shutdown(existing);
      return { state, reason, message: "Master wants to launch executor, but one already exists" };
    }
    if (existing.state === "terminating" || existing.state === "terminated") {
      return { state, reason, message: `Executor ${existing.state}` };
    }
    return undefined;
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

/** Resources from masters and frameworks without MULTI_ROLE carry no allocation: there it is the framework's one role. */
function allocated(resources: readonly Resource[], framework: FrameworkInfo): Resource[] {
  const role = framework.roles[0] ?? framework.role ?? "*";
  return convertResources(resources, "post-refinement").map((resource) =>
    resource.allocation_info === undefined ? { ...resource, allocation_info: { role } } : resource,
  );
}

const withAllocation = (executor: ExecutorInfo, framework: FrameworkInfo): ExecutorInfo => ({
  ...executor,
  resources: allocated(executor.resources, framework),
});

const withAllocations = (task: TaskInfo, framework: FrameworkInfo): TaskInfo => ({
  ...task,
  resources: allocated(task.resources, framework),
  ...(task.executor !== undefined && { executor: withAllocation(task.executor, framework) }),
});

function undelivered(error: unknown): string {
  const message = messageOf(error);
  return isTepuiError(error) && error.code === "TEPUI_CONTAINER_LAUNCH_FAILED"
    ? message
    : `The agent could not write the task down: ${message}`;
}
