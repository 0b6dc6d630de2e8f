import type {
  FrameworkToExecutorMessage,
  KillTaskMessage,
  ReconcileTasksMessage,
  RunTaskGroupMessage,
  RunTaskMessage,
  ShutdownExecutorMessage,
  SlaveReregisteredMessage,
  StatusUpdateAcknowledgementMessage,
  UpdateFrameworkMessage,
} from "../../proto/gen/mesos/internal/messages.js";
import {
  FrameworkInfo_Capability_Type as Capability,
  TaskStatus_Reason as Reason,
  TaskStatus_Source as Source,
  TaskState,
} from "../../proto/gen/mesos/v1/mesos.js";
import type { Logger } from "../../sdk/contracts/logger.js";
import type { AgentState } from "./agent-state.js";
import type { Checkpoints } from "./checkpoint.js";
import type { CheckpointedResources } from "./checkpointed-resources.js";
import type { Disk } from "./disk/operations.js";
import type { Draining } from "./draining.js";
import type { ExecutorCalls } from "./executor-calls.js";
import type { Executors } from "./executors.js";
import type { GarbageCollector } from "./garbage-collector.js";
import type { MasterMessage } from "./inbound.js";
import type { Launches } from "./launches.js";
import type { MasterLink } from "./master-link.js";
import type { AgentMetrics } from "./metrics.js";
import type { AgentOperations } from "./operations/agent-operations.js";
import type { Oversubscription } from "./oversubscription.js";
import type { AgentPaths } from "./paths.js";
import type { Statuses } from "./statuses.js";
import { dropped } from "./task-refusal.js";
import type { UpdateManager } from "./updates/update-manager.js";

export interface MasterOrdersOptions {
  readonly state: AgentState;
  readonly link: MasterLink;
  readonly launches: Launches;
  readonly executors: Executors;
  readonly calls: ExecutorCalls;
  readonly statuses: Statuses;
  readonly updates: UpdateManager;
  readonly resources: CheckpointedResources;
  readonly operations: AgentOperations;
  readonly draining: Draining;
  readonly oversubscription: Oversubscription;
  readonly checkpoints: Checkpoints;
  readonly disk: Disk;
  readonly gc: GarbageCollector;
  readonly paths: AgentPaths;
  readonly metrics: AgentMetrics;
  readonly logger: Logger;
  /** The master takes this agent out of the cluster. */
  readonly end: () => void;
  readonly executorNotLaunched: (frameworkId: string, executorId: string) => void;
}

/** What the agent does on a master's word. */
export class MasterOrders {
  constructor(private readonly options: MasterOrdersOptions) {}

  /** The master that leads said this. */
  obey(message: MasterMessage): void {
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
        this.runTaskGroup(message.body);
        break;
      case "KillTaskMessage":
        this.killTask(message.body);
        break;
      case "StatusUpdateAcknowledgementMessage":
        if (this.options.link.registered) this.acknowledge(message.body);
        break;
      case "ShutdownExecutorMessage":
        if (this.options.link.registered) this.shutdownExecutor(message.body);
        break;
      case "ShutdownFrameworkMessage":
        if (this.options.link.registered) this.shutdownFramework(message.body.framework_id!.value!);
        break;
      case "UpdateFrameworkMessage":
        if (this.options.link.registered) this.updateFramework(message.body);
        break;
      case "CheckpointResourcesMessage":
        this.options.resources.replace(message.body.resources);
        break;
      case "ApplyOperationMessage":
        if (this.options.link.registered) this.options.operations.apply(message.body);
        break;
      case "AcknowledgeOperationStatusMessage":
        if (this.options.link.registered) this.options.operations.acknowledge(message.body);
        break;
      case "ReconcileOperationsMessage":
        if (this.options.link.registered) this.options.operations.reconcile(message.body);
        break;
      case "DrainSlaveMessage":
        if (this.options.state.phase === "serving")
          void this.options.draining.start(message.body.config ?? {});
        break;
      case "ShutdownMessage":
        this.shutdown(message.body.message ?? "");
        break;
    }
  }

  private registered(agentId: string, pingTimeout: number | undefined): void {
    const { state, logger } = this.options;
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
      this.options.disk
        .apply(this.options.checkpoints.agent(state.info))
        .catch((error: unknown) => logger.error({ err: error }, "the agent's id could not be written down"));
    }
    logger.info({ id: agentId, master: this.options.link.master }, "registered");
    this.options.link.accepted(pingTimeout);
    this.options.operations.registered();
    this.options.oversubscription.registered();
    this.options.updates.resume();
  }

  private reregistered({ slave_id, reconciliations, connection }: SlaveReregisteredMessage): void {
    const { state, logger } = this.options;
    if (state.phase === "terminating") return;
    if (state.id !== slave_id!.value) {
      logger.error(
        { id: state.id, given: slave_id!.value },
        "a master re-registered this agent under another id; ignoring it",
      );
      return;
    }
    logger.info({ id: state.id, master: this.options.link.master }, "re-registered");
    this.options.link.accepted(connection?.total_ping_timeout_seconds);
    this.options.operations.registered();
    this.options.oversubscription.registered();
    this.options.updates.resume();
    for (const reconciliation of reconciliations) this.reconcile(reconciliation);
  }

  /** The master lists what it thinks runs here; what does not, ended without its knowing. */
  private reconcile({ framework_id, statuses, framework }: ReconcileTasksMessage): void {
    const frameworkId = framework_id!.value!;
    const partitionAware =
      framework?.capabilities.some(({ type }) => type === Capability.PARTITION_AWARE) === true;
    for (const { task_id } of statuses) {
      const taskId = task_id!.value!;
      if (this.options.state.frameworks.get(frameworkId)?.executorOf(taskId) !== undefined) continue;
      this.options.statuses.reportUnknown({
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
    if (this.options.state.phase !== "serving" || task.agent_id!.value !== this.options.state.id) {
      this.options.logger.warn(
        { task: taskId },
        "ignoring a task: the agent is ending, or it is for an agent of another id",
      );
    } else if (message.framework!.id === undefined) {
      this.options.logger.warn({ task: taskId }, "ignoring a task of a framework without an id");
    } else {
      this.options.launches.runTask(message);
    }
  }

  private runTaskGroup(message: RunTaskGroupMessage): void {
    const { state, logger, launches } = this.options;
    const { tasks } = message.task_group!;
    const taskIds = tasks.map(({ task_id }) => task_id!.value!);
    const foreign = tasks.some(({ agent_id }) => agent_id!.value !== state.info.id?.value);
    if (state.phase !== "serving" || foreign) {
      logger.warn(
        { tasks: taskIds },
        "ignoring tasks: the agent is ending, or they are for an agent of another id",
      );
    } else if (message.framework!.id === undefined) {
      logger.warn({ tasks: taskIds }, "ignoring tasks of a framework without an id");
    } else if (tasks.length > 0) {
      launches.runTaskGroup(message);
    }
  }

  private killTask({ framework_id, task_id, kill_policy }: KillTaskMessage): void {
    const taskId = task_id!.value!;
    const framework = this.options.state.frameworks.get(framework_id!.value!);
    if (this.options.state.phase !== "serving" || framework === undefined || framework.terminating) {
      this.options.logger.info(
        { task: taskId },
        "ignoring a kill: its framework is not known or is being ended",
      );
      return;
    }
    const executor = framework.executorOf(taskId);
    if (executor !== undefined) {
      this.options.executors.kill(framework, executor, { taskId, policy: kill_policy });
      return;
    }
    this.options.launches.refuse(framework, {
      taskId,
      refusal: {
        state: dropped(framework),
        reason: Reason.REASON_EXECUTOR_TERMINATED,
        message: "Cannot find executor",
      },
    });
  }

  acknowledge({ framework_id, task_id, uuid }: StatusUpdateAcknowledgementMessage): void {
    const frameworkId = framework_id!.value!;
    const taskId = task_id!.value!;
    const result = this.options.updates.acknowledge({ frameworkId, taskId, uuid: uuid! });
    if (result === "unknown") {
      this.options.logger.debug({ task: taskId }, "ignoring an acknowledgement that was not waited for");
      return;
    }
    if (result === "next") return;
    const framework = this.options.state.frameworks.get(frameworkId);
    const executor = framework?.executorOf(taskId);
    if (executor?.terminated.has(taskId) === true) {
      executor.complete(taskId);
      if (executor.checkpoint) this.options.gc.schedule(this.options.paths.meta.task(executor.ids, taskId));
    }
    if (framework !== undefined) this.options.executors.acknowledged(framework, executor);
    this.options.draining.check();
  }

  private shutdownExecutor({ framework_id, executor_id }: ShutdownExecutorMessage): void {
    const framework = this.options.state.frameworks.get(framework_id?.value ?? "");
    const executor = framework?.running.get(executor_id?.value ?? "");
    if (framework === undefined || framework.terminating || executor === undefined) {
      this.options.logger.info(
        { executor: executor_id?.value },
        "ignoring a shutdown of an executor that is not here",
      );
      return;
    }
    this.options.executors.shutdown(executor);
  }

  private shutdownFramework(frameworkId: string): void {
    const framework = this.options.state.frameworks.get(frameworkId);
    if (framework !== undefined) this.options.executors.shutdownFramework(framework);
  }

  private updateFramework({ framework_id, framework_info, pid }: UpdateFrameworkMessage): void {
    const framework = this.options.state.frameworks.get(framework_id!.value!);
    if (framework === undefined || framework.terminating) return;
    if (framework_info !== undefined) framework.info = framework_info;
    framework.pid = pid;
    if (framework.checkpoint) {
      this.options.disk
        .apply(this.options.checkpoints.framework(this.options.state.id, framework))
        .catch((error: unknown) =>
          this.options.logger.error({ err: error }, "a framework could not be written down"),
        );
    }
    // A scheduler that just came back may have missed what was sent before.
    if (this.options.link.registered) this.options.updates.resume();
  }

  /** Schedulers may send these directly. */
  frameworkToExecutor({ framework_id, executor_id, data }: FrameworkToExecutorMessage): void {
    const framework = this.options.state.frameworks.get(framework_id!.value!);
    const executor = framework?.running.get(executor_id!.value!);
    const delivered =
      this.options.link.registered &&
      framework?.terminating === false &&
      executor !== undefined &&
      this.options.calls.deliverMessage(executor, data!);
    const { validFrameworkMessages, invalidFrameworkMessages } = this.options.metrics;
    (delivered ? validFrameworkMessages : invalidFrameworkMessages).inc();
  }

  private shutdown(reason: string): void {
    const { logger, link } = this.options;
    logger.warn({ master: link.master }, `asked to shut down${reason === "" ? "" : `: ${reason}`}`);
    this.options.end();
  }
}
