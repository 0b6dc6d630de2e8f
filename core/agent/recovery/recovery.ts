import {
  TaskStatus_Reason as Reason,
  TaskStatus_Source as Source,
  TaskState,
} from "../../../proto/gen/mesos/v1/mesos.js";
import type { ContainerLaunch } from "../../../sdk/contracts/agent-containers.js";
import type { Clock } from "../../../sdk/contracts/clock.js";
import type { Containerizer, ContainerRequest } from "../../../sdk/contracts/containerizer.js";
import type { Logger } from "../../../sdk/contracts/logger.js";
import { TepuiError } from "../../../sdk/errors/index.js";
import { Resources } from "../../../sdk/resources/index.js";
import { isTerminal } from "../../../sdk/task-states.js";
import { formatDuration } from "../../../sdk/values/index.js";
import type { AgentState } from "../agent-state.js";
import type { ContainerCalls } from "../containers/container-calls.js";
import type { Disk, DiskOperation } from "../disk/operations.js";
import type { ExecutorDrivers } from "../drivers/executor-drivers.js";
import { Executor } from "../executors/executor.js";
import { executorLimits } from "../executors/executor-limits.js";
import { type Executors, KILLED_UNDELIVERED } from "../executors/executors.js";
import { Framework } from "../framework.js";
import type { AgentOptions } from "../options.js";
import type { AgentPaths } from "../paths.js";
import type { Pods } from "../pods/pods.js";
import { KILLED } from "../tasks/kill-record.js";
import { noteStatus } from "../tasks/task.js";
import type { TaskContainers } from "../tasks/task-containers.js";
import { dropped } from "../tasks/task-refusal.js";
import type { UpdateManager } from "../updates/update-manager.js";
import { uuidKey } from "../updates/update-stream.js";
import { earlierGroups } from "./earlier-groups.js";
import type { SavedExecutor, SavedFramework, SavedTask } from "./saved-state.js";
import { definitionOf } from "./task-definition.js";

export interface RecoveryOptions {
  readonly state: AgentState;
  readonly agent: AgentOptions;
  readonly containerizers: readonly Containerizer[];
  readonly taskContainers: TaskContainers;
  readonly pods: Pods;
  readonly containerCalls: ContainerCalls;
  readonly executors: Executors;
  readonly drivers: ExecutorDrivers;
  readonly updates: UpdateManager;
  readonly paths: AgentPaths;
  readonly disk: Disk;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Everything is known about the executors that may come back. */
  readonly expected: () => void;
}

interface Live {
  readonly framework: Framework;
  readonly executor: Executor;
  readonly saved: SavedExecutor;
}

/**
 * Takes over the frameworks, executors and tasks of an earlier run: what still runs is tracked again, and what has ended is reported
 * correctly.
 */
export class Recovery {
  /** Ends the wait for custom executors. */
  private endWait: (() => void) | undefined;

  constructor(private readonly options: RecoveryOptions) {}

  /** An executor has come back: if it was the last one, the wait is over. */
  cameBack(): void {
    if (this.missing().length === 0) this.endWait?.();
  }

  /**
   * Resolves when all custom executors have come back or their time is up.
   *
   * @param rebooted the host was rebooted: no container survived
   * @param launches nested and standalone containers
   */
  async run(
    saved: readonly SavedFramework[],
    rebooted: boolean,
    launches: readonly ContainerLaunch[],
  ): Promise<void> {
    const { containerizers, state, executors, disk } = this.options;
    const live = saved.flatMap((framework) => this.addFramework(framework));
    await disk.apply(live.flatMap((one) => this.cutOffRecords(one)));
    const requests = live.map(({ executor, saved: { tasks, process } }) => ({
      request: this.request(executor, tasks),
      process,
    }));
    const others = this.options.containerCalls.recover(launches);
    const containers = rebooted ? [] : [...requests, ...others];
    for (const containerizer of containerizers) await containerizer.recover(containers);
    this.refuseUnmanagedProcesses(live);
    this.options.containerCalls.recovered();
    for (const one of live) await this.follow(one);
    this.options.expected();
    if (this.options.agent.recover === "reconnect") await this.awaitExecutors();
    for (const framework of [...state.frameworks.values()]) executors.retirement.removeIfIdle(framework);
  }

  /** Adds a framework; returns its executors that have not ended. */
  private addFramework(saved: SavedFramework): Live[] {
    const { state } = this.options;
    const framework = new Framework(saved.id, saved.info, saved.pid);
    framework.recorded = true;
    state.addFramework(framework);
    const live: Live[] = [];
    for (const one of saved.executors) {
      const executor = this.executor(framework, one);
      if (one.completed) {
        executor.state = "terminated";
        for (const { task } of one.tasks) executor.completedTasks.push(task);
        framework.completed.push(executor);
        continue;
      }
      framework.running.set(executor.id, executor);
      for (const task of one.tasks) this.replay(executor, task);
      live.push({ framework, executor, saved: one });
    }
    const { maxCompletedExecutorsPerFramework: most } = this.options.agent;
    framework.completed = most === 0 ? [] : framework.completed.slice(-most);
    return live;
  }

  private executor(framework: Framework, saved: SavedExecutor): Executor {
    const { id, info, containerId, generated } = saved;
    const { state, paths, agent } = this.options;
    const ids = { agentId: state.id, frameworkId: framework.id, executorId: id, containerId };
    const executor = new Executor({
      ids,
      info,
      directory: paths.work.run(ids),
      user: agent.switchUser ? (info.command?.user ?? framework.info.user) : undefined,
      checkpoint: true,
      generated,
    });
    executor.driver = saved.driver;
    return executor;
  }

  /** Replays the recorded statuses of a task. */
  private replay(executor: Executor, { task, updates, acknowledged }: SavedTask): void {
    const taskId = task.task_id!.value!;
    // Whatever an earlier agent wrote after a terminal status does not count: the task would seem to run again, in an executor that may be
    // gone.
    const end = updates.find(({ status }) => isTerminal(status?.state));
    const reported = end === undefined ? updates : updates.slice(0, updates.indexOf(end) + 1);
    for (const { status } of reported) if (status !== undefined) noteStatus(task, status);
    executor.everSentTask ||= reported.some(({ status }) => status?.source === Source.SOURCE_EXECUTOR);
    if (end === undefined) executor.launched.set(taskId, task);
    else executor.terminated.set(taskId, task);
    if (end !== undefined && acknowledged.has(uuidKey(end.uuid))) executor.complete(taskId);
    this.options.updates.recover({
      frameworkId: executor.ids.frameworkId,
      taskId,
      path: this.options.paths.meta.taskUpdates(executor.ids, taskId),
      updates: reported,
      acknowledged,
      allowance: executor.updatesUnderWay,
    });
  }

  /** Truncates torn records: nothing written after them could be read. */
  private cutOffRecords({ executor: { ids }, saved }: Live): DiskOperation[] {
    const { meta } = this.options.paths;
    return saved.tasks.flatMap(({ task, cutAt }) =>
      cutAt === undefined
        ? []
        : [{ op: "truncate", path: meta.taskUpdates(ids, task.task_id!.value!), size: cutAt }],
    );
  }

  private ownerOf({ containerId: { value: id } }: Executor): Containerizer | undefined {
    return this.options.containerizers.find((one) =>
      one.containers().some(({ value, parent }) => value === id && parent === undefined),
    );
  }

  /** A process that no containerizer manages would be reported as ended while it runs, and its resources given to others. */
  private refuseUnmanagedProcesses(live: readonly Live[]): void {
    const { agent, logger } = this.options;
    const strangers = live
      .filter(({ executor, saved }) => saved.process !== undefined && this.ownerOf(executor) === undefined)
      .map(
        ({ executor: { id, ids }, saved }) =>
          `process ${saved.process} of executor '${id}' of framework ${ids.frameworkId} runs in a container that is not of this agent's making`,
      );
    if (strangers.length === 0) return;
    if (agent.strict) {
      throw new TepuiError("TEPUI_AGENT_RECOVERY_FAILED", { problems: [...strangers, STRANGERS_ADVICE] });
    }
    for (const stranger of strangers) logger.warn(`${stranger}; passing it over`);
  }

  private async follow({ framework, executor, saved }: Live): Promise<void> {
    const { taskContainers, executors, clock, logger } = this.options;
    const [only] = saved.tasks;
    // It was killed before anybody had heard that it runs.
    const undelivered = executor.isCommand && only?.kill !== undefined && only.updates.length === 0;
    const owner = this.ownerOf(executor);
    if (owner === undefined) {
      logger.warn(
        { executor: executor.id, framework: framework.id },
        "nothing is left of an executor's container",
      );
      executors.fail(executor, undelivered ? KILLED_UNDELIVERED : lost(framework, executor));
      return;
    }
    executor.containerizer = owner;
    executor.containerStatus = await taskContainers.containerStatus(executor, owner);
    if (executor.isPod) this.options.pods.start(framework, executor, earlierGroups(saved));
    if (executor.isCommand && only !== undefined && !undelivered) {
      executor.state = "running";
      executor.command = taskContainers.commandTask(framework, executor, definitionOf(only));
      const since = only.updates.find(({ status }) => status?.state === TaskState.TASK_RUNNING)?.timestamp;
      const reported = only.updates.flatMap(({ status }) => (status === undefined ? [] : [status]));
      const kill = only.kill ?? (only.task.state === TaskState.TASK_KILLING ? KILLED : undefined);
      if (since === undefined) executor.command.started({ starting: reported.length > 0 });
      else executor.command.followed(Math.max(0, clock.now() - since * 1000), reported, kill);
    }
    this.options.drivers.reconnect(framework, executor);
    taskContainers.follow(executor, owner);
    if (undelivered)
      executors.kill(framework, executor, { taskId: only.task.task_id!.value!, policy: undefined });
    // The record of its task is lost: nobody would ever kill it.
    if (executor.isCommand && !executor.incomplete) executors.destroy(executor);
  }

  /** Custom executors notice that the agent was away, and subscribe again; those of the v0 driver have been asked to re-register. */
  private async awaitExecutors(): Promise<void> {
    const { agent, clock } = this.options;
    if (this.missing().length === 0) return;
    await new Promise<void>((resolve) => {
      const timer = clock.setTimeout(resolve, agent.executorReregistrationTimeout);
      this.endWait = () => {
        timer.cancel();
        resolve();
      };
      // Runs after the callback in `Executors`, which has removed it from the missing ones by then.
      const ended = (): void => this.cameBack();
      for (const { containerizer, containerId } of this.missing())
        void containerizer?.wait(containerId).then(ended, ended);
    });
    this.endWait = undefined;
    for (const executor of this.missing()) {
      const framework = this.options.state.frameworks.get(executor.ids.frameworkId);
      executor.state = "terminating";
      executor.verdict = {
        state: framework?.partitionAware === true ? TaskState.TASK_GONE : TaskState.TASK_LOST,
        reason: Reason.REASON_EXECUTOR_REREGISTRATION_TIMEOUT,
        message: `Executor did not reregister within ${formatDuration(agent.executorReregistrationTimeout)}`,
      };
      this.options.executors.destroy(executor);
    }
  }

  private missing(): Executor[] {
    return [...this.options.state.executors()].filter(
      ({ isCommand, state }) => !isCommand && state === "registering",
    );
  }

  private request(executor: Executor, tasks: readonly SavedTask[]): ContainerRequest {
    const first = tasks[0] === undefined ? undefined : definitionOf(tasks[0]);
    return {
      containerId: executor.containerId,
      frameworkId: executor.ids.frameworkId,
      executorId: executor.id,
      task: executor.isCommand ? first : undefined,
      executor: executor.info,
      command: executor.info.command ?? { uris: [], arguments: [] },
      container: executor.info.container ?? this.options.agent.defaultContainerInfo,
      environment: {},
      user: executor.user,
      resources: executor.resources.isEmpty ? Resources.of(executor.info.resources) : executor.resources,
      limits: executorLimits(executor.info.resources, [...executor.launched.values()], {
        cfs: this.options.agent.cgroupsEnableCfs,
      }),
      directory: executor.directory,
      checkpoint: true,
    };
  }
}

const STRANGERS_ADVICE =
  "start the agent that made them again (Mesos's, or this one with its earlier --work_dir, --runtime_dir, --containerizers and --launcher), drain it, and then change over; or end these processes; or start with --strict=false, which passes them over and tells that their tasks have ended";

function lost(
  framework: Framework,
  executor: Executor,
): { state: TaskState; reason: Reason; message: string } {
  const ran = [...executor.launched.values()].some(({ statuses }) => statuses.length > 0);
  return ran
    ? {
        state: TaskState.TASK_FAILED,
        reason: Reason.REASON_EXECUTOR_TERMINATED,
        message: "The container ended while the agent was away, and how is not known",
      }
    : {
        state: dropped(framework),
        reason: Reason.REASON_AGENT_RESTARTED,
        message: "Task launched during agent restart",
      };
}
