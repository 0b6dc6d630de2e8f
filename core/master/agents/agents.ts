import {
  type AgentInfo,
  OperationState,
  TaskStatus_Reason as Reason,
  TaskState,
} from "../../../proto/gen/mesos/v1/mesos.js";
import { formatDuration } from "../../../sdk/values/index.js";
import { UPDATE_WAIT_MS } from "../constants.js";
import type { MasterContext } from "../context.js";
import { agentLost } from "../frameworks/events.js";
import type { Framework } from "../frameworks/framework.js";
import type { CounterName } from "../metrics/metrics.js";
import type { Offers } from "../offers/offers.js";
import type { Operations } from "../operations/operations.js";
import { timeInfo } from "../tasks/status.js";
import { type TaskFate, TaskFates } from "../tasks/task-fates.js";
import type { Agent } from "./agent.js";
import { AgentObserver } from "./agent-observer.js";
import { RemovalLimiter } from "./removal-limiter.js";

/**
 * The life of an agent after its admission: pinged, disconnected, reconnected, marked unreachable, removed. Whatever has to survive a
 * failover is written to the registry before the master acts on it, so that a successor comes to the same conclusions.
 */
export class Agents {
  readonly limiter: RemovalLimiter;
  readonly fates: TaskFates;
  /** Ids of agents that are being marked unreachable in the registry. */
  readonly markingUnreachable = new Set<string>();
  readonly removing = new Set<string>();
  readonly markingGone = new Set<string>();
  /** Ids of agents that are re-registering: they must not be marked unreachable. */
  readonly reregistering = new Set<string>();

  constructor(
    private readonly context: MasterContext,
    private readonly offers: Offers,
    private readonly operations: Operations,
  ) {
    this.fates = new TaskFates(context);
    this.limiter = new RemovalLimiter(context.clock, context.options.agentRemovalRateLimit);
  }

  /** Adds an agent with its tasks and executors. Their frameworks must be known already. */
  add(agent: Agent): void {
    const { cluster, allocator } = this.context;
    cluster.agents.set(agent.id, agent);
    cluster.machines.add(agent);
    agent.unavailability = cluster.machines.unavailabilityOf(agent.machineId);
    agent.drainInfo = cluster.draining.get(agent.id);
    this.attach(agent);
    agent.observer = new AgentObserver({
      context: this.context,
      agent,
      limiter: this.limiter,
      unhealthy: () => void this.markUnreachable(agent.info, "health check timed out"),
    });
    allocator.addAgent({
      id: agent.id,
      info: agent.info,
      capabilities: agent.capabilities,
      total: agent.total,
      used: agent.usedByFramework,
      unavailability: agent.unavailability,
    });
    if (agent.awaitsUpdate) {
      allocator.deactivateAgent(agent.id);
      this.hold(agent);
    }
    if (cluster.deactivatedAgents.has(agent.id)) this.setDeactivated(agent);
    this.context.watchers.agentAdded(agent);
    // Its machine was taken down during the registry write.
    if (cluster.machines.isDown(agent.machineId)) void this.vacate(agent);
  }

  /** Its machine goes down: the agent is told to shut down, and removed with everything that runs on it. */
  vacate(agent: Agent): Promise<void> {
    const why = "Operator initiated 'Machine DOWN'";
    this.context.messages.shutdown(agent.pid, why);
    return this.remove(agent, why);
  }

  /** An operator does not want it to get tasks, whether or not it is connected. */
  setDeactivated(agent: Agent): void {
    agent.deactivated = true;
    if (agent.active) this.deactivate(agent);
  }

  /** It may get tasks again as soon as it is connected. */
  reactivate(agent: Agent): void {
    agent.deactivated = false;
    if (agent.connected) this.activate(agent);
  }

  /** Links to the agent's current address. */
  attach(agent: Agent): void {
    const { cluster, transport } = this.context;
    this.detach(agent);
    cluster.agentsByPid.set(agent.pid, agent);
    agent.linkedPid = agent.pid;
    agent.unlink = transport.link(agent.pid, () => this.disconnected(agent));
  }

  private detach(agent: Agent): void {
    const { agentsByPid } = this.context.cluster;
    agent.unlink?.();
    agent.unlink = undefined;
    const pid = agent.linkedPid;
    if (pid !== undefined && agentsByPid.get(pid) === agent) agentsByPid.delete(pid);
  }

  /**
   * The link broke. Tasks of checkpointing frameworks survive their agent, so they stay; those of other frameworks are lost. The agent may
   * be restarting and gets time to come back.
   */
  private disconnected(agent: Agent): void {
    const { cluster, clock, logger, options } = this.context;
    if (!agent.connected || cluster.agents.get(agent.id) !== agent) return;
    logger.info({ agent: agent.id, pid: agent.pid }, "An agent disconnected");
    agent.connected = false;
    if (agent.active) this.deactivate(agent);
    for (const frameworkId of agent.frameworkIds()) {
      const framework = cluster.frameworks.get(frameworkId);
      if (framework !== undefined && !framework.info.checkpoint) this.removeFramework(agent, framework);
    }
    agent.reregistrationTimer = clock.setTimeout(
      () => this.reregistrationTimeout(agent),
      options.agentReregisterTimeout,
    );
  }

  private removeFramework(agent: Agent, framework: Framework): void {
    const hostname = agent.info.hostname ?? "";
    for (const task of [...(agent.taskEntries.get(framework.id)?.values() ?? [])]) {
      this.fates.end(task, framework, {
        state: TaskState.TASK_LOST,
        reason: Reason.REASON_AGENT_DISCONNECTED,
        message: `Agent ${hostname} disconnected`,
      });
    }
    for (const executor of [...(agent.executorEntries.get(framework.id)?.values() ?? [])]) {
      this.context.ledger.removeExecutor(executor, agent);
    }
  }

  private reregistrationTimeout(agent: Agent): void {
    const { cluster, metrics, options } = this.context;
    const gone = () => agent.connected || cluster.agents.get(agent.id) !== agent;
    if (gone()) return;
    metrics.counters.slave_unreachable_scheduled.inc();
    this.limiter.acquire(() => {
      if (gone()) {
        metrics.counters.slave_unreachable_canceled.inc();
        return;
      }
      metrics.counters.slave_unreachable_completed.inc();
      const timeout = formatDuration(options.agentReregisterTimeout);
      void this.markUnreachable(agent.info, `agent did not reregister within ${timeout} after disconnecting`);
    });
  }

  /** Stops offering this agent's resources. */
  private deactivate(agent: Agent): void {
    agent.active = false;
    this.context.allocator.deactivateAgent(agent.id);
    this.offers.rescindAllOf(agent);
    this.offers.inverse.rescindAll(agent.inverseOffers);
  }

  private activate(agent: Agent): void {
    if (agent.active) return;
    agent.active = true;
    if (agent.awaitsUpdate) this.hold(agent);
    else this.context.allocator.activateAgent(agent.id);
  }

  /**
   * Offers nothing until the agent has sent its UpdateSlaveMessage, which follows its last report. Earlier offers would be accepted in
   * vain: if a report was repeated before it was answered, a launch based on the first crosses with the second and is refused. The wait is
   * limited because not every agent that may have resource providers sends the message.
   */
  private hold(agent: Agent): void {
    agent.hold?.cancel();
    agent.hold = this.context.clock.setTimeout(() => this.release(agent), UPDATE_WAIT_MS);
  }

  private release(agent: Agent): void {
    if (agent.hold === undefined) return;
    agent.hold.cancel();
    agent.hold = undefined;
    if (agent.active) this.context.allocator.activateAgent(agent.id);
  }

  /** Its UpdateSlaveMessage has arrived. */
  updated(agent: Agent): void {
    agent.awaitsUpdate = false;
    this.release(agent);
  }

  /**
   * Its configuration has changed since it was offered. Called before anything else, so that nothing of the old one is accepted or counted
   * as offered.
   */
  reconfigured(agent: Agent): void {
    this.offers.rescindAllOf(agent);
  }

  /** The agent is back on a new link. */
  reconnected(agent: Agent): void {
    agent.reregistrationTimer?.cancel();
    agent.reregistrationTimer = undefined;
    if (agent.connected) return;
    agent.connected = true;
    // Pings it missed while it was away say nothing about now.
    agent.observer?.heard();
    if (!agent.deactivated) this.activate(agent);
  }

  /**
   * Marks an agent unreachable because it is silent. Its tasks become TASK_UNREACHABLE, or TASK_LOST for frameworks that do not know that
   * state. Resolves to whether it was marked.
   */
  async markUnreachable(info: AgentInfo, why: string): Promise<boolean> {
    const { cluster, clock, logger, metrics, registry, transport } = this.context;
    const id = info.id?.value ?? "";
    const busy = this.reregistering.has(id) || this.isLeaving(id);
    if (busy || !(cluster.agents.has(id) || cluster.recoveredAgents.has(id))) return false;
    logger.info({ agent: id, why }, "Marking an agent unreachable");
    this.markingUnreachable.add(id);
    const time = timeInfo(clock.now());
    try {
      await registry.apply({ kind: "mark-agent-unreachable", agentId: { value: id }, time });
    } catch (err) {
      // The agent stays as it is; its observer will try again.
      logger.error({ err, agent: id }, "Cannot write to the registry that an agent is unreachable");
      return false;
    } finally {
      this.markingUnreachable.delete(id);
    }
    metrics.counters.slave_removals.inc();
    metrics.counters["slave_removals/reason_unhealthy"].inc();
    cluster.unreachableAgents.set(id, time);
    const agent = cluster.agents.get(id);
    if (agent !== undefined) {
      this.operations.lost(agent, {
        state: OperationState.OPERATION_UNREACHABLE,
        message: "Agent was marked unreachable",
      });
      this.takeOut(agent, ({ partitionAware }) => ({
        state: partitionAware ? TaskState.TASK_UNREACHABLE : TaskState.TASK_LOST,
        reason: Reason.REASON_AGENT_REMOVED,
        message: why,
        unreachable: true,
        unreachableTime: time,
      }));
      // Messages still queued for it must not reach it any more: its tasks have been reported unreachable.
      transport.reset?.(agent.pid);
    } else if (cluster.recoveredAgents.delete(id)) {
      metrics.counters.recovery_slave_removals.inc();
      this.tellLost(id);
    }
    return true;
  }

  /** Its removal or loss is being written to the registry. */
  private isLeaving(id: string): boolean {
    return this.markingUnreachable.has(id) || this.removing.has(id) || this.markingGone.has(id);
  }

  /** Removes an agent for good: it unregistered, another agent has taken its address, or its machine is going down. */
  async remove(agent: Agent, why: string, reason?: CounterName): Promise<void> {
    const { cluster, logger, metrics, registry } = this.context;
    if (this.isLeaving(agent.id)) return;
    logger.info({ agent: agent.id, why }, "Removing an agent");
    this.removing.add(agent.id);
    try {
      await registry.apply({ kind: "remove-agent", agentId: agent.idMessage });
    } catch (err) {
      logger.error({ err, agent: agent.id }, "Cannot write to the registry that an agent is removed");
      return;
    } finally {
      this.removing.delete(agent.id);
    }
    if (cluster.agents.get(agent.id) !== agent) return;
    metrics.counters.slave_removals.inc();
    if (reason !== undefined) metrics.counters[reason].inc();
    cluster.deactivatedAgents.delete(agent.id);
    cluster.draining.delete(agent.id);
    this.takeOut(agent, () => ({
      state: TaskState.TASK_LOST,
      reason: Reason.REASON_AGENT_REMOVED,
      message: `Agent ${agent.info.hostname ?? ""} removed: ${why}`,
    }));
  }

  /** The registry already knows. */
  takeOut(agent: Agent, fateIn: (framework: Framework) => TaskFate): void {
    const { cluster, allocator, ledger } = this.context;
    // Comes first: otherwise the allocator would offer the resources that its tasks give back.
    allocator.removeAgent(agent.id);
    for (const [frameworkId, tasks] of [...agent.taskEntries]) {
      const framework = cluster.frameworks.get(frameworkId);
      const fate = framework === undefined ? undefined : fateIn(framework);
      for (const task of [...tasks.values()]) {
        if (framework === undefined || fate === undefined) ledger.removeTask(task);
        else this.fates.end(task, framework, fate);
      }
    }
    for (const executor of [...agent.executors()]) ledger.removeExecutor(executor, agent);
    this.operations.lost(agent);
    this.offers.rescindAllOf(agent);
    this.stopWatching(agent);
    cluster.agents.delete(agent.id);
    cluster.machines.remove(agent);
    this.offers.inverse.rescindAll(agent.inverseOffers);
    cluster.removedAgents.set(agent.id, true);
    this.tellLost(agent.id);
    this.context.watchers.agentRemoved(agent.id);
  }

  tellLost(agentId: string): void {
    const event = agentLost({ value: agentId });
    for (const framework of this.context.cluster.frameworks.values()) {
      if (framework.connected) framework.send(event);
    }
  }

  private stopWatching(agent: Agent): void {
    agent.observer?.stop();
    agent.reregistrationTimer?.cancel();
    agent.hold?.cancel();
    this.detach(agent);
  }

  /** This master does not lead any more: agents will find the new leader. */
  stop(): void {
    this.limiter.stop();
    for (const agent of this.context.cluster.agents.values()) this.stopWatching(agent);
  }
}
