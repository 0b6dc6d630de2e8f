import {
  type FrameworkInfo,
  TaskState,
  type TaskStatus,
  TaskStatus_Reason,
} from "../../../proto/gen/mesos/v1/mesos.js";
import type { OfferConstraints } from "../../../proto/gen/mesos/v1/scheduler/scheduler.js";
import { HEARTBEAT_INTERVAL_MS } from "../constants.js";
import { type MasterContext, nowSeconds } from "../context.js";
import { FrameworkMetrics } from "../metrics/framework-metrics.js";
import type { Offers } from "../offers/offers.js";
import type { Operations } from "../operations/operations.js";
import { masterStatus } from "../tasks/status.js";
import type { TaskEntry } from "../tasks/task.js";
import { errorEvent, HEARTBEAT, subscribed } from "./events.js";
import { Framework, type FrameworkStream } from "./framework.js";

export interface FrameworkSettings {
  readonly info: FrameworkInfo;
  readonly suppressedRoles: readonly string[];
  readonly offerConstraints: OfferConstraints | undefined;
}

/** The life of a framework: added, connected, disconnected, reconnected, removed. */
export class Frameworks {
  constructor(
    private readonly context: MasterContext,
    private readonly offers: Offers,
    private readonly operations: Operations,
  ) {}

  /** Adds a framework that subscribes for the first time or, with `recovered`, that an earlier master knew. */
  add(settings: FrameworkSettings, { recovered = false } = {}): Framework {
    const { cluster, allocator, options, metrics } = this.context;
    const { info } = settings;
    const framework = new Framework({
      info,
      recovered,
      metrics: new FrameworkMetrics({
        registry: metrics.registry,
        name: info.name ?? "",
        id: info.id?.value ?? "",
        publish: options.publishPerFrameworkMetrics,
      }),
      now: nowSeconds(this.context),
      maxCompletedTasks: options.maxCompletedTasksPerFramework,
      maxUnreachableTasks: options.maxUnreachableTasksPerFramework,
    });
    this.adopt(framework, settings);
    cluster.frameworks.set(framework.id, framework);
    metrics.principals.add(info.principal);
    this.operations.adopt(framework);
    allocator.addFramework(allocatorFramework(framework), framework.usedByAgent);
    this.context.logger.info(
      { framework: framework.id, name: info.name, roles: framework.roles, recovered },
      "Added a framework",
    );
    return framework;
  }

  /** Adds a framework that this master does not know, as described by an agent or by its own scheduler. */
  recover(info: FrameworkInfo): Framework {
    const settings = { info, suppressedRoles: [], offerConstraints: undefined };
    const framework = this.add(settings, { recovered: true });
    this.context.watchers.frameworkAdded(framework);
    return framework;
  }

  /** Replaces info, suppressed roles and constraints. Offers in roles that the framework has left are rescinded. */
  update(framework: Framework, settings: FrameworkSettings): void {
    const before = framework.roles;
    this.adopt(framework, settings);
    for (const role of before) if (!framework.roles.includes(role)) framework.metrics.removeRole(role);
    this.context.allocator.updateFramework(allocatorFramework(framework));
    for (const offer of [...framework.offerEntries.values()]) {
      if (!framework.roles.includes(offer.role)) this.offers.rescind(offer);
    }
  }

  private adopt(framework: Framework, { info, suppressedRoles, offerConstraints }: FrameworkSettings): void {
    framework.info = info;
    framework.offerConstraints = offerConstraints;
    this.suppress(framework, new Set(suppressedRoles));
  }

  /** Notes the roles in which the framework wants no offers; the caller tells the allocator. */
  suppress(framework: Framework, roles: Set<string>): void {
    framework.suppressed = roles;
    for (const role of framework.roles) framework.metrics.setSuppressed(role, roles.has(role));
  }

  /** Makes the scheduler behind this stream the framework's scheduler: an earlier one is notified and disconnected. */
  connect(framework: Framework, stream: FrameworkStream): void {
    const { allocator, clock, info } = this.context;
    const same = stream.pid !== undefined && stream.pid === framework.pid;
    if (framework.connected && !same) framework.send(errorEvent("Framework failed over"));
    this.closeStream(framework);
    framework.failoverTimer?.cancel();
    framework.failoverTimer = undefined;
    framework.stream = stream;
    framework.pid = stream.pid;
    framework.state = "connected";
    // The earlier scheduler had these offers; a new one does not know them, so there is nothing to rescind.
    this.withdrawOffers(framework, { rescind: same });
    if (!framework.active) {
      framework.active = true;
      allocator.activateFramework(framework.id);
    }
    framework.send(subscribed(framework.idMessage, info));
    // Drivers do not know heartbeats: they have a link.
    if (stream.pid !== undefined) return;
    framework.send(HEARTBEAT);
    framework.heartbeat = clock.setInterval(() => framework.send(HEARTBEAT), HEARTBEAT_INTERVAL_MS);
  }

  /** The stream has ended. Tasks go on, offers stop, and the scheduler has `failover_timeout` to come back. */
  disconnected(framework: Framework, stream: FrameworkStream): void {
    if (framework.stream !== stream) return;
    const seconds = framework.info.failover_timeout ?? 0;
    this.context.logger.info(
      { framework: framework.id, failoverTimeout: seconds },
      "A framework disconnected",
    );
    framework.stream = undefined;
    framework.heartbeat?.cancel();
    this.deactivate(framework, { rescind: true });
    framework.state = "disconnected";
    framework.failoverTimer = this.context.clock.setTimeout(() => {
      this.context.logger.info({ framework: framework.id }, "Framework failover timeout");
      this.remove(framework);
    }, seconds * 1000);
  }

  /** Offers it nothing until it subscribes again. */
  deactivate(framework: Framework, { rescind }: { rescind: boolean }): void {
    if (!framework.active) return;
    framework.active = false;
    this.context.allocator.deactivateFramework(framework.id);
    this.withdrawOffers(framework, { rescind });
  }

  private withdrawOffers(framework: Framework, { rescind }: { rescind: boolean }): void {
    for (const offer of [...framework.offerEntries.values()]) {
      if (rescind) this.offers.rescind(offer);
      else this.offers.discard(offer);
    }
    if (rescind) this.offers.inverse.rescindAll(framework.inverseOfferEntries);
    else this.offers.inverse.discardAll(framework.inverseOfferEntries);
  }

  private closeStream(framework: Framework): void {
    framework.heartbeat?.cancel();
    const { stream } = framework;
    framework.stream = undefined;
    stream?.connection.close();
  }

  /**
   * Ends a framework for good: its tasks count as killed, agents are told to shut it down, and its id can never be used again. Its
   * scheduler gets no updates: whoever tears a framework down has no more interest in its tasks.
   */
  remove(framework: Framework): void {
    const { cluster, allocator, ledger, messages } = this.context;
    this.context.logger.info({ framework: framework.id }, "Removing a framework");
    this.deactivate(framework, { rescind: false });
    messages.shutdownFramework(cluster.agents.values(), framework.id);

    for (const task of [...framework.taskEntries.values()]) {
      ledger.updateTask(task, this.removedStatus(task, framework));
      ledger.removeTask(task);
    }
    for (const task of [...framework.unreachable.values()]) {
      ledger.updateTask(task, this.removedStatus(task, framework));
      framework.completed.add(task.message);
      framework.unreachable.delete(task.id);
    }
    for (const executor of [...framework.executors()]) {
      const agent = cluster.agents.get(executor.agentId);
      if (agent !== undefined) ledger.removeExecutor(executor, agent);
    }
    this.operations.abandon(framework);

    framework.failoverTimer?.cancel();
    this.closeStream(framework);
    framework.state = "disconnected";
    framework.unregisteredTime = nowSeconds(this.context);
    cluster.frameworks.delete(framework.id);
    this.context.metrics.principals.remove(framework.info.principal);
    allocator.removeFramework(framework.id);
    cluster.completedFrameworks.set(framework.id, framework);
    this.context.watchers.frameworkRemoved(framework.info);
  }

  private removedStatus(task: TaskEntry, framework: Framework): TaskStatus {
    return masterStatus({
      taskId: task.message.task_id,
      agentId: task.message.agent_id,
      executorId: task.message.executor_id,
      state: TaskState.TASK_KILLED,
      reason: TaskStatus_Reason.REASON_FRAMEWORK_REMOVED,
      message: `Framework ${framework.id} removed`,
      now: this.context.clock.now(),
    });
  }

  /** Disconnects everybody: this master does not lead any more. */
  stop(): void {
    for (const framework of this.context.cluster.frameworks.values()) {
      framework.failoverTimer?.cancel();
      this.closeStream(framework);
    }
  }
}

function allocatorFramework(framework: Framework) {
  return {
    id: framework.id,
    info: framework.info,
    active: framework.active,
    suppressedRoles: framework.suppressedRoles,
    offerConstraints: framework.offerConstraints,
  };
}
