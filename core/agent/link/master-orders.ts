import type {
  FrameworkToExecutorMessage,
  KillTaskMessage,
  RunTaskGroupMessage,
  RunTaskMessage,
  ShutdownExecutorMessage,
  StatusUpdateAcknowledgementMessage,
  UpdateFrameworkMessage,
} from "../../../proto/gen/mesos/internal/messages.js";
import { TaskStatus_Reason as Reason } from "../../../proto/gen/mesos/v1/mesos.js";
import type { Draining } from "../draining/draining.js";
import type { Deliveries } from "../executors/deliveries.js";
import type { Executors } from "../executors/executors.js";
import type { GarbageCollector } from "../garbage-collector.js";
import type { AgentMetrics } from "../metrics.js";
import type { AgentPaths } from "../paths.js";
import type { CheckpointedResources } from "../resources/checkpointed-resources.js";
import type { Launches } from "../tasks/launches.js";
import { dropped } from "../tasks/task-refusal.js";
import { Admission, type AdmissionOptions } from "./admission.js";
import type { MasterMessage } from "./inbound.js";

export interface MasterOrdersOptions extends AdmissionOptions {
  readonly launches: Launches;
  readonly executors: Executors;
  readonly deliveries: Deliveries;
  readonly resources: CheckpointedResources;
  readonly draining: Draining;
  readonly gc: GarbageCollector;
  readonly paths: AgentPaths;
  readonly metrics: AgentMetrics;
  /** The master removes this agent from the cluster. */
  readonly end: () => void;
  readonly executorNotLaunched: (frameworkId: string, executorId: string) => void;
}

/** Carries out the messages of the leading master. */
export class MasterOrders {
  private readonly admission: Admission;

  constructor(private readonly options: MasterOrdersOptions) {
    this.admission = new Admission(options);
  }

  /** Handles a message of the leading master. */
  obey(message: MasterMessage): void {
    switch (message.name) {
      case "SlaveRegisteredMessage":
        this.admission.registered(message.body);
        break;
      case "SlaveReregisteredMessage":
        this.admission.reregistered(message.body);
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
        // Whether registered or not, as for tasks: tasks that follow will use what the operation makes.
        this.options.operations.apply(message.body);
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
      this.options.disk.apply(this.options.checkpoints.framework(this.options.state.id, framework)).then(
        () => {
          framework.recorded = true;
        },
        (error: unknown) => {
          // It is retried with the framework's next task.
          framework.recorded = false;
          this.options.logger.error({ err: error }, "a framework could not be written down");
        },
      );
    }
    // A scheduler that has just come back may have missed earlier updates.
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
      this.options.deliveries.deliverMessage(executor, data!);
    const { validFrameworkMessages, invalidFrameworkMessages } = this.options.metrics;
    (delivered ? validFrameworkMessages : invalidFrameworkMessages).inc();
  }

  private shutdown(reason: string): void {
    const { logger, link } = this.options;
    logger.warn({ master: link.master }, `asked to shut down${reason === "" ? "" : `: ${reason}`}`);
    this.options.end();
  }
}
