import {
  ExitedExecutorMessage,
  type FrameworkToExecutorMessage,
  type KillTaskMessage,
  type ReconcileTasksMessage,
  type RunTaskGroupMessage,
  type RunTaskMessage,
  type ShutdownExecutorMessage,
  type SlaveReregisteredMessage,
  type StatusUpdateAcknowledgementMessage,
  UnregisterSlaveMessage,
  type UpdateFrameworkMessage,
} from "../../proto/gen/mesos/internal/messages.js";
import {
  type AgentInfo,
  FrameworkInfo_Capability_Type as Capability,
  TaskStatus_Reason as Reason,
  TaskStatus_Source as Source,
  TaskState,
} from "../../proto/gen/mesos/v1/mesos.js";
import type { Clock } from "../../sdk/contracts/clock.js";
import type { Containerizer } from "../../sdk/contracts/containerizer.js";
import type { Election } from "../../sdk/contracts/election.js";
import type { Logger } from "../../sdk/contracts/logger.js";
import type { InboundMessage, MessageTransport } from "../../sdk/contracts/message-transport.js";
import type { Metrics } from "../../sdk/contracts/metrics.js";
import type { Random } from "../../sdk/contracts/random.js";
import { messageOf, TepuiError } from "../../sdk/errors/index.js";
import { AgentState } from "./agent-state.js";
import { Checkpoints } from "./checkpoint.js";
import { CheckpointedResources } from "./checkpointed-resources.js";
import { AGENT_ACTOR } from "./constants.js";
import type { Disk } from "./disk/operations.js";
import { ExecutorCalls } from "./executor-calls.js";
import { Executors } from "./executors.js";
import { GarbageCollector } from "./garbage-collector.js";
import { decodeMasterMessage, type MasterMessage } from "./inbound.js";
import { Launches } from "./launches.js";
import { MasterLink } from "./master-link.js";
import { AgentMetrics } from "./metrics.js";
import type { AgentOptions } from "./options.js";
import { AgentPaths } from "./paths.js";
import { incompatibilities } from "./recovery/compatibility.js";
import { Recovery } from "./recovery/recovery.js";
import type { SavedAgent } from "./recovery/saved-state.js";
import { registrationMessage } from "./registration.js";
import { uuidBytes } from "./status.js";
import { Statuses } from "./statuses.js";
import { dropped } from "./task-refusal.js";
import { UpdateManager } from "./updates/update-manager.js";

export interface AgentDependencies {
  readonly options: AgentOptions;
  readonly info: AgentInfo;
  /** Address that executors and masters are told. */
  readonly ip: string;
  readonly containerizers: readonly Containerizer[];
  readonly election: Election;
  readonly transport: MessageTransport;
  readonly disk: Disk;
  /** Part (0 to 1) of the work directory's file system that is in use. */
  readonly diskUsage: () => Promise<number>;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** A master ended this agent, and its last framework is gone. */
  readonly finished: () => void;
}

/**
 * The agent: takes the master's messages, runs tasks through containerizers, and tells how they fare.
 *
 * It has no I/O of its own: time, randomness, messages, containers and the disk come in through its dependencies.
 */
export class Agent {
  readonly state: AgentState;
  readonly calls: ExecutorCalls;
  readonly link: MasterLink;
  readonly gc: GarbageCollector;
  readonly updates: UpdateManager;
  readonly executors: Executors;
  readonly launches: Launches;
  readonly startTime: number;
  readonly paths: AgentPaths;
  private readonly statuses: Statuses;
  private readonly checkpoints: Checkpoints;
  private readonly resources: CheckpointedResources;
  private readonly recovery: Recovery;
  private readonly agentMetrics: AgentMetrics;
  private readonly logger: Logger;
  private stopReceiving: (() => void) | undefined;

  constructor(private readonly dependencies: AgentDependencies) {
    const { options, clock, random, logger, metrics, transport, disk, containerizers } = dependencies;
    this.logger = logger;
    this.startTime = clock.now() / 1000;
    this.state = new AgentState(dependencies.info);
    this.paths = new AgentPaths(options.workDir);
    this.checkpoints = new Checkpoints(this.paths);
    this.agentMetrics = new AgentMetrics(metrics);
    const resourceVersion = uuidBytes(random.uuid());
    this.link = new MasterLink({
      clock,
      random,
      transport,
      election: dependencies.election,
      logger,
      backoffFactor: options.registrationBackoffFactor,
      host: {
        registration: () => registrationMessage(this.state, resourceVersion),
        disconnected: () => this.updates.pause(),
      },
    });
    this.gc = new GarbageCollector({
      clock,
      disk,
      logger,
      metrics,
      delay: options.gcDelay,
      headroom: options.gcDiskHeadroom,
      watchInterval: options.diskWatchInterval,
      usage: dependencies.diskUsage,
    });
    const { state, paths, checkpoints, gc } = this;
    const common = { state, paths, checkpoints, gc, disk, clock, random, logger, metrics: this.agentMetrics };
    const send = this.link.send.bind(this.link);
    const agentPid = (): string => this.pid;
    this.updates = new UpdateManager({
      clock,
      disk,
      logger,
      forward: (update) => this.statuses.forward(update),
    });
    this.statuses = new Statuses({
      ...common,
      updates: this.updates,
      agentPid,
      send,
      misbehaved: (executor) => this.executors.shutdown(executor),
      shrunk: (executor) => this.calls.shrink(executor),
    });
    const { statuses, updates } = this;
    this.executors = new Executors({
      ...common,
      statuses,
      updates,
      agent: options,
      send,
      idle: () => this.idle(),
    });
    const { executors } = this;
    this.calls = new ExecutorCalls({
      ...common,
      executors,
      statuses,
      registered: () => this.link.registered,
      send,
      sendTo: (pid, message) => transport.send(pid, { from: AGENT_ACTOR, ...message }),
    });
    this.launches = new Launches({
      ...common,
      agent: options,
      agentPid,
      resourceVersion,
      ip: dependencies.ip,
      containerizers,
      executors,
      statuses,
      deliver: (executor) => this.calls.deliver(executor),
      executorNotLaunched: (frameworkId, executorId) => this.tellNotLaunched(frameworkId, executorId),
    });
    this.recovery = new Recovery({
      ...common,
      agent: options,
      containerizers,
      launches: this.launches,
      executors,
      updates,
    });
    this.resources = new CheckpointedResources(common);
    this.agentMetrics.observe({
      state,
      registered: () => this.link.registered,
      uptime: () => clock.now() / 1000 - this.startTime,
      maxSandboxAge: () => this.gc.maxAllowedAge / 1000,
    });
  }

  /** `slave(1)@ip:port`; valid once the transport has started. */
  get pid(): string {
    return this.dependencies.transport.address(AGENT_ACTOR);
  }

  /**
   * Takes up what an earlier run left. Resolves when everything that still runs is followed, or was given up. Rejects with
   * TEPUI_AGENT_RECOVERY_FAILED when this agent is not the earlier one any more.
   *
   * @param bootId names the present boot of the host
   */
  async recover(saved: SavedAgent, bootId: string): Promise<void> {
    const { state, gc, logger } = this;
    const { disk, clock } = this.dependencies;
    const started = clock.monotonic();
    for (const problem of saved.problems) logger.warn(problem);
    this.agentMetrics.recoveryErrors.inc(saved.problems.length);
    const changes = saved.info === undefined ? [] : incompatibilities(saved.info, state.info);
    // After a reboot nothing runs any more, so that nothing is lost by being another agent.
    const asBefore = changes.length === 0 || saved.bootId === bootId;
    if (changes.length > 0 && asBefore)
      throw new TepuiError("TEPUI_AGENT_RECOVERY_FAILED", { problems: changes });
    this.resources.restore(saved.resources);
    if (saved.info?.id !== undefined && asBefore) state.info = { ...state.info, id: saved.info.id };
    else if (saved.info !== undefined)
      logger.warn({ changes }, "starting as a new agent: the host was changed and rebooted");
    for (const { path, age } of saved.leftovers) gc.schedule(path, age);
    this.calls.open = true;
    const rebooted = saved.bootId !== undefined && saved.bootId !== bootId;
    await this.recovery.run(asBefore ? saved.frameworks : [], rebooted);
    await disk.apply(this.checkpoints.bootId(bootId));
    this.agentMetrics.recovered((clock.monotonic() - started) / 1000);
  }

  start(): void {
    this.state.phase = "serving";
    this.calls.open = true;
    this.gc.start();
    this.stopReceiving = this.dependencies.transport.receive(AGENT_ACTOR, (message) => this.receive(message));
    this.link.start();
  }

  /** Tasks of frameworks that checkpoint go on without us; those of others end now. */
  async stop(): Promise<void> {
    this.stopReceiving?.();
    this.link.stop();
    this.gc.stop();
    this.updates.pause();
    const doomed = [...this.state.executors()].filter(
      ({ checkpoint, state }) => !checkpoint && state !== "terminated",
    );
    await Promise.allSettled(doomed.map((executor) => executor.containerizer?.destroy(executor.containerId)));
    for (const executor of this.state.executors()) {
      executor.stopTimers();
      executor.command?.stop();
      executor.connection?.close();
    }
  }

  private receive({ from, name, body }: InboundMessage): void {
    let message: MasterMessage | undefined;
    try {
      message = decodeMasterMessage(name, body);
    } catch (error) {
      this.logger.warn(
        { from, message: name },
        `dropping a message that cannot be read: ${messageOf(error)}`,
      );
      return;
    }
    if (message === undefined) {
      this.logger.info({ from, message: name }, "dropping a message that agents do not take");
      return;
    }
    if (message.name === "PingSlaveMessage") {
      this.link.pinged(from, message.body.connected === true);
    } else if (message.name === "FrameworkToExecutorMessage") {
      // Schedulers may send these directly.
      this.frameworkToExecutor(message.body);
    } else if (message.name === "StatusUpdateAcknowledgementMessage" && !from.startsWith("master")) {
      this.acknowledge(message.body);
    } else if (this.link.isMaster(from)) {
      this.obey(message);
    } else {
      this.logger.warn(
        { from, message: name, master: this.link.master },
        "ignoring a message of another master",
      );
    }
  }

  private obey(message: MasterMessage): void {
    switch (message.name) {
      case "SlaveRegisteredMessage":
        this.registered(message.body.slave_id!.value!, message.body.connection?.total_ping_timeout_seconds);
        break;
      case "SlaveReregisteredMessage":
        this.reregistered(message.body);
        break;
      case "RunTaskMessage":
        this.runTask(message.body);
        break;
      case "RunTaskGroupMessage":
        this.refuseGroup(message.body);
        break;
      case "KillTaskMessage":
        this.killTask(message.body);
        break;
      case "StatusUpdateAcknowledgementMessage":
        if (this.link.registered) this.acknowledge(message.body);
        break;
      case "ShutdownExecutorMessage":
        if (this.link.registered) this.shutdownExecutor(message.body);
        break;
      case "ShutdownFrameworkMessage":
        if (this.link.registered) this.shutdownFramework(message.body.framework_id!.value!);
        break;
      case "UpdateFrameworkMessage":
        if (this.link.registered) this.updateFramework(message.body);
        break;
      case "CheckpointResourcesMessage":
        void this.resources.replace(message.body.resources);
        break;
      case "ShutdownMessage":
        this.shutdown(message.body.message ?? "");
        break;
    }
  }

  private registered(agentId: string, pingTimeout: number | undefined): void {
    const { state, logger } = this;
    if (state.phase === "terminating") return;
    if (state.info.id !== undefined && state.id !== agentId) {
      logger.error(
        { id: state.id, given: agentId },
        "a master registered this agent under another id; ignoring it",
      );
      return;
    }
    if (state.info.id === undefined) {
      state.info = { ...state.info, id: { value: agentId } };
      this.dependencies.disk
        .apply(this.checkpoints.agent(state.info))
        .catch((error: unknown) => logger.error({ err: error }, "the agent's id could not be written down"));
    }
    logger.info({ id: agentId, master: this.link.master }, "registered");
    this.link.accepted(pingTimeout);
    this.updates.resume();
  }

  private reregistered({ slave_id, reconciliations, connection }: SlaveReregisteredMessage): void {
    const { state, logger } = this;
    if (state.phase === "terminating") return;
    if (state.id !== slave_id!.value) {
      logger.error(
        { id: state.id, given: slave_id!.value },
        "a master re-registered this agent under another id; ignoring it",
      );
      return;
    }
    logger.info({ id: state.id, master: this.link.master }, "re-registered");
    this.link.accepted(connection?.total_ping_timeout_seconds);
    this.updates.resume();
    for (const reconciliation of reconciliations) this.reconcile(reconciliation);
  }

  /** The master lists what it thinks runs here; what does not, ended without its knowing. */
  private reconcile({ framework_id, statuses, framework }: ReconcileTasksMessage): void {
    const frameworkId = framework_id!.value!;
    const partitionAware =
      framework?.capabilities.some(({ type }) => type === Capability.PARTITION_AWARE) === true;
    for (const { task_id } of statuses) {
      const taskId = task_id!.value!;
      if (this.state.frameworks.get(frameworkId)?.executorOf(taskId) !== undefined) continue;
      this.statuses.reportUnknown({
        frameworkId,
        taskId,
        state: partitionAware ? TaskState.TASK_DROPPED : TaskState.TASK_LOST,
        source: Source.SOURCE_AGENT,
        reason: Reason.REASON_RECONCILIATION,
        message: "Reconciliation: task unknown to the agent",
      });
    }
  }

  private runTask(message: RunTaskMessage): void {
    const task = message.task!;
    const taskId = task.task_id!.value;
    if (this.state.phase !== "serving" || task.agent_id!.value !== this.state.id) {
      this.logger.warn(
        { task: taskId },
        "ignoring a task: the agent is ending, or it is for an agent of another id",
      );
    } else if (message.framework!.id === undefined) {
      this.logger.warn({ task: taskId }, "ignoring a task of a framework without an id");
    } else {
      this.launches.runTask(message);
    }
  }

  private refuseGroup(message: RunTaskGroupMessage): void {
    const info = message.framework!;
    if (this.state.phase !== "serving" || info.id === undefined) return;
    const framework = this.launches.framework(info, undefined);
    if (framework.terminating) return;
    const executorId = message.executor!.executor_id!.value!;
    for (const { task_id } of message.task_group!.tasks) {
      this.launches.refuse(framework, {
        taskId: task_id!.value!,
        executorId,
        refusal: {
          state: TaskState.TASK_ERROR,
          reason: Reason.REASON_TASK_GROUP_INVALID,
          message: "Task groups are not supported by this agent",
        },
      });
    }
    if (message.launch_executor === true && !framework.running.has(executorId)) {
      this.tellNotLaunched(framework.id, executorId);
    }
    this.executors.removeIfIdle(framework);
  }

  private killTask({ framework_id, task_id, kill_policy }: KillTaskMessage): void {
    const taskId = task_id!.value!;
    const framework = this.state.frameworks.get(framework_id!.value!);
    if (this.state.phase !== "serving" || framework === undefined || framework.terminating) {
      this.logger.info({ task: taskId }, "ignoring a kill: its framework is not known or is being ended");
      return;
    }
    const executor = framework.executorOf(taskId);
    if (executor !== undefined) {
      this.executors.kill(framework, executor, { taskId, policy: kill_policy });
      return;
    }
    this.launches.refuse(framework, {
      taskId,
      refusal: {
        state: dropped(framework),
        reason: Reason.REASON_EXECUTOR_TERMINATED,
        message: "Cannot find executor",
      },
    });
  }

  private acknowledge({ framework_id, task_id, uuid }: StatusUpdateAcknowledgementMessage): void {
    const frameworkId = framework_id!.value!;
    const taskId = task_id!.value!;
    const result = this.updates.acknowledge({ frameworkId, taskId, uuid: uuid! });
    if (result === "unknown") {
      this.logger.debug({ task: taskId }, "ignoring an acknowledgement that was not waited for");
      return;
    }
    if (result === "next") return;
    const framework = this.state.frameworks.get(frameworkId);
    const executor = framework?.executorOf(taskId);
    if (executor?.terminated.has(taskId) === true) {
      executor.complete(taskId);
      if (executor.checkpoint) this.gc.schedule(this.paths.meta.task(executor.ids, taskId));
    }
    if (framework !== undefined) this.executors.acknowledged(framework, executor);
  }

  private shutdownExecutor({ framework_id, executor_id }: ShutdownExecutorMessage): void {
    const framework = this.state.frameworks.get(framework_id?.value ?? "");
    const executor = framework?.running.get(executor_id?.value ?? "");
    if (framework === undefined || framework.terminating || executor === undefined) {
      this.logger.info(
        { executor: executor_id?.value },
        "ignoring a shutdown of an executor that is not here",
      );
      return;
    }
    this.executors.shutdown(executor);
  }

  private shutdownFramework(frameworkId: string): void {
    const framework = this.state.frameworks.get(frameworkId);
    if (framework !== undefined) this.executors.shutdownFramework(framework);
  }

  private updateFramework({ framework_id, framework_info, pid }: UpdateFrameworkMessage): void {
    const framework = this.state.frameworks.get(framework_id!.value!);
    if (framework === undefined || framework.terminating) return;
    if (framework_info !== undefined) framework.info = framework_info;
    framework.pid = pid;
    if (framework.checkpoint) {
      this.dependencies.disk
        .apply(this.checkpoints.framework(this.state.id, framework))
        .catch((error: unknown) =>
          this.logger.error({ err: error }, "a framework could not be written down"),
        );
    }
    // A scheduler that just came back may have missed what was sent before.
    if (this.link.registered) this.updates.resume();
  }

  private frameworkToExecutor({ framework_id, executor_id, data }: FrameworkToExecutorMessage): void {
    const framework = this.state.frameworks.get(framework_id!.value!);
    const executor = framework?.running.get(executor_id!.value!);
    const delivered =
      this.link.registered &&
      framework?.terminating === false &&
      executor !== undefined &&
      this.calls.deliverMessage(executor, data!);
    const { validFrameworkMessages, invalidFrameworkMessages } = this.agentMetrics;
    (delivered ? validFrameworkMessages : invalidFrameworkMessages).inc();
  }

  /** The master takes us out of the cluster. */
  private shutdown(reason: string): void {
    this.logger.warn({ master: this.link.master }, `asked to shut down${reason === "" ? "" : `: ${reason}`}`);
    this.end();
  }

  /** Leaves the cluster: ends all frameworks and says good-bye. */
  unregister(): void {
    const body = UnregisterSlaveMessage.encode({ slave_id: { value: this.state.id } }).finish();
    if (this.state.info.id !== undefined)
      this.link.send({ name: "mesos.internal.UnregisterSlaveMessage", body });
    this.end();
  }

  private end(): void {
    if (this.state.phase === "terminating") return;
    this.state.phase = "terminating";
    if (this.state.frameworks.size === 0) this.dependencies.finished();
    for (const framework of [...this.state.frameworks.values()]) this.executors.shutdownFramework(framework);
  }

  private idle(): void {
    if (this.state.phase === "terminating") this.dependencies.finished();
  }

  private tellNotLaunched(frameworkId: string, executorId: string): void {
    const body = ExitedExecutorMessage.encode({
      slave_id: { value: this.state.id },
      framework_id: { value: frameworkId },
      executor_id: { value: executorId },
      status: -1,
    }).finish();
    this.link.send({ name: "mesos.internal.ExitedExecutorMessage", body });
  }
}
