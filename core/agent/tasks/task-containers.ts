import {
  FrameworkInfo_Capability_Type as Capability,
  type CommandInfo,
  type ContainerStatus,
  type NetworkInfo,
  NetworkInfo_Protocol,
  TaskStatus_Reason as Reason,
  TaskStatus_Source as Source,
  type TaskInfo,
  TaskState,
} from "../../../proto/gen/mesos/v1/mesos.js";
import type { Clock } from "../../../sdk/contracts/clock.js";
import type { Containerizer, ContainerRequest } from "../../../sdk/contracts/containerizer.js";
import type { Logger } from "../../../sdk/contracts/logger.js";
import { isTepuiError, messageOf } from "../../../sdk/errors/index.js";
import { Resources } from "../../../sdk/resources/index.js";
import type { Checkpoints } from "../checkpoint.js";
import type { CommandsInContainers } from "../checks/commands-in-containers.js";
import type { TaskChecks } from "../checks/task-checks.js";
import type { Disk, DiskOperation } from "../disk/operations.js";
import type { Executor } from "../executors/executor.js";
import { commandEnvironment, executorEnvironment } from "../executors/executor-environment.js";
import { executorLimits } from "../executors/executor-limits.js";
import type { ExecutorTokens } from "../executors/executor-tokens.js";
import type { Executors } from "../executors/executors.js";
import type { Framework } from "../framework.js";
import type { AgentMetrics } from "../metrics.js";
import type { AgentOptions } from "../options.js";
import { CommandTask } from "./command-task.js";
import type { Statuses } from "./statuses.js";
import { makeTask } from "./task.js";
import { dropped } from "./task-refusal.js";

export interface TaskContainersOptions {
  readonly agent: AgentOptions;
  readonly agentPid: () => string;
  /** The host's address. */
  readonly ip: string;
  /** For executors that are processes. */
  readonly tokens: ExecutorTokens | undefined;
  readonly containerizers: readonly Containerizer[];
  readonly executors: Executors;
  readonly statuses: Statuses;
  /** The container of a pod runs; its tasks can follow. */
  readonly startPod: (framework: Framework, executor: Executor) => void;
  readonly checks: TaskChecks;
  readonly commands: CommandsInContainers;
  readonly checkpoints: Checkpoints;
  readonly disk: Disk;
  readonly metrics: AgentMetrics;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** The reason for starting an executor. */
export interface FirstTasks {
  readonly tasks: readonly TaskInfo[];
  /** The records of the tasks. */
  readonly record: readonly DiskOperation[];
  /** What its container has to wait for. */
  readonly after: Promise<void> | undefined;
}

/** Creates the containers of executors and command tasks, and follows them to their end. */
export class TaskContainers {
  /** Shared by all statuses of containers in the host's network. */
  private readonly ownNetwork: NetworkInfo;

  constructor(private readonly options: TaskContainersOptions) {
    const address = { protocol: NetworkInfo_Protocol.IPv4, ip_address: options.ip };
    this.ownNetwork = { ip_addresses: [address], groups: [], port_mappings: [] };
  }

  /**
   * Writes the records at once, before anything can be reported about the tasks. Then creates the sandbox, finds a containerizer and
   * follows the container.
   */
  async start(framework: Framework, executor: Executor, first: FirstTasks): Promise<void> {
    const { executors, metrics, logger } = this.options;
    let writtenDown = false;
    try {
      const record = this.writeDown(framework, executor, first);
      executor.recorded = record;
      executor.awaitRecord(record);
      await record;
      writtenDown = true;
      await first.after;
      const containerizer = await this.launch(framework, executor, first.tasks);
      if (containerizer !== undefined) {
        await this.launched(framework, executor, { containerizer, tasks: first.tasks });
        return;
      }
      if (!executor.ending) metrics.containerLaunchErrors.inc();
      executors.fail(executor, {
        state: TaskState.TASK_FAILED,
        reason: Reason.REASON_CONTAINER_LAUNCH_FAILED,
        message: this.nobodysContainer(),
      });
    } catch (error) {
      if (!executor.ending) {
        if (writtenDown) metrics.containerLaunchErrors.inc();
        logger.info(
          { err: error, executor: executor.id, framework: framework.id },
          "a container failed to start",
        );
      }
      // As in Mesos if the sandbox cannot be created, possibly because the host does not know its user: these tasks may run elsewhere.
      const end = writtenDown
        ? { state: TaskState.TASK_FAILED, reason: Reason.REASON_CONTAINER_LAUNCH_FAILED }
        : { state: dropped(framework), reason: Reason.REASON_EXECUTOR_TERMINATED };
      executors.fail(executor, { ...end, message: launchFailure(error) });
    }
  }

  private async writeDown(
    framework: Framework,
    executor: Executor,
    { tasks, record }: FirstTasks,
  ): Promise<void> {
    const { checkpoints, disk } = this.options;
    try {
      await disk.apply([
        ...checkpoints.sandbox(executor),
        ...(executor.checkpoint
          ? [...checkpoints.missing(executor.ids.agentId, framework), ...checkpoints.executor(executor)]
          : []),
        ...record,
      ]);
      framework.recorded = executor.checkpoint;
    } catch (error) {
      for (const task of tasks) executor.unrecorded.add(task.task_id!.value!);
      throw error;
    }
  }

  /** The containerizer that accepted the container; undefined: none did, or nobody wants it any more. */
  private async launch(
    framework: Framework,
    executor: Executor,
    tasks: readonly TaskInfo[],
  ): Promise<Containerizer | undefined> {
    const request = this.request(framework, executor, tasks);
    for (const containerizer of this.options.containerizers) {
      if (executor.ending) return undefined;
      executor.containerizer = containerizer;
      if (await containerizer.launch(request)) return containerizer;
      executor.containerizer = undefined;
    }
    return undefined;
  }

  private request(framework: Framework, executor: Executor, tasks: readonly TaskInfo[]): ContainerRequest {
    const { agent, agentPid } = this.options;
    const task = tasks[0]!;
    const command = executor.isCommand ? task.command! : executorCommand(executor);
    const role = task.resources[0]?.allocation_info?.role;
    return {
      containerId: executor.containerId,
      frameworkId: framework.id,
      executorId: executor.id,
      task: executor.isCommand ? task : undefined,
      executor: executor.info,
      command,
      container: executor.info.container ?? agent.defaultContainerInfo,
      environment: {
        ...executorEnvironment({
          options: agent,
          executor: executor.info,
          frameworkId: framework.id,
          agentId: executor.ids.agentId,
          agentPid: agentPid(),
          directory: executor.directory,
          checkpoint: executor.checkpoint,
          token: this.token(executor),
        }),
        ...commandEnvironment(command),
        ...(executor.generated && role !== undefined && { MESOS_ALLOCATION_ROLE: role }),
      },
      user: executor.user,
      resources: Resources.of([...executor.info.resources, ...tasks.flatMap(({ resources }) => resources)]),
      limits: executorLimits(executor.info.resources, tasks, { cfs: agent.cgroupsEnableCfs }),
      directory: executor.directory,
      checkpoint: executor.checkpoint,
    };
  }

  /** Command tasks and pods get no token: they are no executors, and what runs in them must not pass for one. */
  private token({ ids, isCommand, isPod }: Executor): string | undefined {
    if (isCommand || isPod) return undefined;
    return this.options.tokens?.sign({ fid: ids.frameworkId, eid: ids.executorId, cid: ids.containerId });
  }

  private async launched(
    framework: Framework,
    executor: Executor,
    { containerizer, tasks }: { containerizer: Containerizer; tasks: readonly TaskInfo[] },
  ): Promise<void> {
    const { executors, agent, clock } = this.options;
    executor.containerStatus = await this.containerStatus(executor, containerizer);
    const pid = executor.containerStatus?.executor_pid;
    if (executor.checkpoint && pid !== undefined) this.noteMainProcess(executor, pid);
    if (executor.state === "terminating") {
      executors.destroy(executor);
    } else if (executor.isPod) {
      this.options.startPod(framework, executor);
    } else if (executor.isCommand) {
      const [task] = tasks as [TaskInfo];
      executor.state = "running";
      executor.everSentTask = true;
      executor.queued.delete(task.task_id!.value!);
      executor.launched.set(task.task_id!.value!, makeTask(task, framework.id));
      executor.command = this.commandTask(framework, executor, task);
      executor.command.started({ data: containerizer.taskData?.(executor.containerId) });
    } else if (executor.state === "registering") {
      const expire = (): void => executors.registrationTimeout(executor);
      executor.timers.add(clock.setTimeout(expire, agent.executorRegistrationTimeout));
    }
    this.follow(executor, containerizer);
  }

  /** The container status in every update of the container's tasks; a container without a network of its own has the agent's address. */
  async containerStatus(executor: Executor, containerizer: Containerizer): Promise<ContainerStatus> {
    // A container may end before anyone can look; its statuses should still say where it was.
    const status = await containerizer
      .status(executor.containerId)
      .catch((): ContainerStatus => ({ container_id: executor.containerId, network_infos: [] }));
    if (status.network_infos.length === 0) status.network_infos = [this.ownNetwork];
    return status;
  }

  /** Waits for the end of the container. */
  follow(executor: Executor, containerizer: Containerizer): void {
    const { executors, logger } = this.options;
    containerizer.wait(executor.containerId).then(
      (termination) => executors.terminated(executor, termination),
      (error: unknown) => {
        logger.error({ err: error, executor: executor.id }, "the end of a container could not be observed");
        executors.fail(executor, { message: `Abnormal executor termination: ${messageOf(error)}` });
      },
    );
  }

  commandTask(framework: Framework, executor: Executor, task: TaskInfo): CommandTask {
    const { clock, statuses, logger, disk, checkpoints, checks, commands } = this.options;
    return new CommandTask(task, {
      clock,
      noun: executor.containerizer?.taskNoun ?? "Command",
      reportsKilling: framework.can(Capability.TASK_KILLING_STATE),
      report: (status) =>
        statuses.report({
          frameworkId: framework.id,
          taskId: task.task_id!.value!,
          executorId: executor.id,
          source: Source.SOURCE_EXECUTOR,
          ...status,
        }),
      check: (of, listener) => checks.start(of, commands.target(executor, executor.containerId), listener),
      note: async (kill) => {
        if (!executor.checkpoint) return;
        await disk
          .apply(checkpoints.kill(executor, task.task_id!.value!, kill))
          .catch((error: unknown) =>
            logger.error({ err: error, executor: executor.id }, "a kill could not be written down"),
          );
      },
      signal: async (signal) => {
        try {
          return (await executor.containerizer?.signal(executor.containerId, signal)) === true;
        } catch (error) {
          logger.error({ err: error, executor: executor.id }, "a task could not be signalled");
          return false;
        }
      },
    });
  }

  private nobodysContainer(): string {
    const names = this.options.containerizers.map(({ name }) => name).join(", ");
    return `Failed to launch container: none of the enabled containerizers (${names}) could create a container for the provided TaskInfo/ExecutorInfo message`;
  }

  private noteMainProcess(executor: Executor, pid: number): void {
    const { disk, checkpoints, logger } = this.options;
    disk
      .apply(checkpoints.forkedPid(executor, pid))
      .catch((error: unknown) => logger.error({ err: error }, "the agent's state could not be written down"));
  }
}

/** A pod's own container only runs this: it holds the namespaces and cgroups, and reaps orphaned processes of the pod's tasks. */
const POD_COMMAND = "trap 'exit 0' TERM; while :; do sleep 86400 & wait $!; done";

/** The command of an executor's container. */
const executorCommand = ({ info, isPod }: Executor): CommandInfo =>
  isPod
    ? { ...info.command, value: POD_COMMAND, shell: true, uris: info.command?.uris ?? [], arguments: [] }
    : (info.command ?? { uris: [], arguments: [] });

function launchFailure(error: unknown): string {
  const message = messageOf(error);
  return isTepuiError(error) && error.code === "TEPUI_CONTAINER_LAUNCH_FAILED"
    ? message
    : `Failed to launch container: ${message}`;
}
