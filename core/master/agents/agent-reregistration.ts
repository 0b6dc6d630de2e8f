import type { ReregisterSlaveMessage } from "../../../proto/gen/mesos/internal/messages.js";
import {
  AgentInfo,
  AgentInfo_Capability_Type as Capability,
  type ExecutorInfo,
  type FrameworkInfo,
  TaskStatus_Reason as Reason,
  type Task,
} from "../../../proto/gen/mesos/v1/mesos.js";
import { Resources } from "../../../sdk/resources/index.js";
import { isTerminal } from "../../../sdk/task-states.js";
import { type MasterContext, nowSeconds } from "../context.js";
import { update } from "../frameworks/events.js";
import type { Framework } from "../frameworks/framework.js";
import { frameworkKey } from "../frameworks/framework-key.js";
import type { Frameworks } from "../frameworks/frameworks.js";
import type { Draining } from "../operator/draining.js";
import { parsePid } from "../pid.js";
import { ExecutorEntry } from "../tasks/executor.js";
import { masterStatus } from "../tasks/status.js";
import type { TaskEntry } from "../tasks/task.js";
import { validateReregistration } from "../validation/agent.js";
import { Agent, type AgentFacts } from "./agent.js";
import { connection, factsOf, machineOf, refusal, refuseDown } from "./agent-registration.js";
import { allocationRole, readExecutor, readTask, unreportedTasks } from "./agent-report.js";
import type { Agents } from "./agents.js";

/**
 * Takes agents back: after a broken link, after they were unreachable, or after another master led. Agent and master then exchange what
 * they know about tasks, so that both agree afterwards.
 */
export class AgentReregistration {
  /** Framework infos that have been validated. */
  private readonly valid = new WeakSet<FrameworkInfo>();

  constructor(
    private readonly context: MasterContext,
    private readonly agents: Agents,
    private readonly collaborators: { readonly frameworks: Frameworks; readonly draining: Draining },
  ) {}

  async reregister(pid: string, message: ReregisterSlaveMessage): Promise<void> {
    const { cluster, logger, messages, metrics } = this.context;
    metrics.counters.messages_reregister_slave.inc();
    const id = message.slave?.id?.value ?? "";
    if (this.agents.reregistering.has(id) || this.agents.markingUnreachable.has(id)) return;
    if (cluster.goneAgents.has(id)) {
      messages.shutdown(pid, "Agent has been marked gone");
      return;
    }
    if (this.agents.markingGone.has(id)) return;
    const problem = validateReregistration(message, this.valid) ?? refusal(this.context, message);
    if (problem !== undefined) {
      logger.warn({ agent: id, pid, problem }, "Refused the re-registration of an agent");
      return;
    }
    if (cluster.machines.isDown(machineOf(message, pid))) {
      refuseDown(this.context, pid);
      return;
    }
    const facts = factsOf(message, pid, this.checkpointedOf(message));
    if (!facts.ok) {
      // What it has on disk contradicts its flags: to go on would lose a reservation or a volume.
      logger.warn({ agent: id, pid, problem: facts.error }, "Shutting down an agent that re-registered");
      messages.shutdown(pid, facts.error);
      return;
    }
    this.agents.reregistering.add(id);
    try {
      await this.takeBack(facts.value, message);
    } catch (err) {
      logger.error({ err, agent: id }, "Cannot take an agent back; it will try again");
    } finally {
      this.agents.reregistering.delete(id);
    }
  }

  /**
   * Agents without RESOURCE_PROVIDER are told their reservations and volumes, and may have missed the last message. All others know best,
   * because a change that did not reach them did not happen.
   */
  private checkpointedOf(message: ReregisterSlaveMessage): Resources | undefined {
    const known = this.context.cluster.agents.get(message.slave?.id?.value ?? "");
    return known === undefined || known.can(Capability.RESOURCE_PROVIDER) ? undefined : known.checkpointed;
  }

  private async takeBack(facts: AgentFacts, message: ReregisterSlaveMessage): Promise<void> {
    const { cluster, messages, registry } = this.context;
    const { info, pid } = facts;
    const id = info.id?.value ?? "";
    const known = cluster.agents.get(id);
    const before = known?.info ?? cluster.recoveredAgents.get(id);
    if (known !== undefined && (known.ip !== parsePid(pid).ip || known.info.hostname !== info.hostname)) {
      messages.shutdown(pid, "Agent attempted to reregister with different IP / hostname");
      return;
    }
    if (before === undefined) await registry.apply({ kind: "mark-agent-reachable", agent: info });
    else if (!sameInfo(before, info)) await registry.apply({ kind: "update-agent", agent: info });
    if (known === undefined) this.readmit(facts, message);
    // Otherwise it was marked unreachable in the meantime, and will try again.
    else if (cluster.agents.get(id) === known) this.reconnect(known, facts, message);
  }

  /** The master does not know this agent: it learns everything from the message. */
  private readmit(facts: AgentFacts, message: ReregisterSlaveMessage): void {
    const { cluster, ledger, logger, messages, metrics } = this.context;
    const id = facts.info.id?.value ?? "";
    const infos = new Map(message.frameworks.map((info) => [info.id?.value ?? "", info]));
    const earlier = message.frameworks.filter((info) => cluster.frameworks.has(info.id?.value ?? ""));
    for (const [frameworkId, info] of infos) {
      const unknown = !cluster.frameworks.has(frameworkId) && !cluster.completedFrameworks.has(frameworkId);
      if (unknown) this.collaborators.frameworks.recover(info);
    }

    const agent = new Agent(facts, nowSeconds(this.context));
    agent.reregisteredTime = agent.registeredTime;
    agent.awaitsUpdate = agent.can(Capability.RESOURCE_PROVIDER);
    const wasRecovered = cluster.recoveredAgents.has(id);
    const tasks: TaskEntry[] = [];
    for (const reported of message.tasks) {
      const frameworkId = reported.framework_id?.value ?? "";
      if (cluster.completedFrameworks.has(frameworkId)) continue;
      const task = readTask(reported, allocationRole(agent, infos.get(frameworkId)));
      if (!wasRecovered) this.welcome(task);
      tasks.push(task);
    }
    ledger.addTasks(tasks, agent);
    for (const reported of message.executor_infos) {
      const frameworkId = reported.framework_id?.value ?? "";
      const info = readExecutor(reported, allocationRole(agent, infos.get(frameworkId)));
      ledger.addExecutor(new ExecutorEntry(id, info), agent, cluster.frameworks.get(frameworkId));
    }
    for (const { framework_info: info, tasks } of message.completed_frameworks) {
      const framework = cluster.frameworks.get(info?.id?.value ?? "");
      for (const task of tasks) framework?.completed.add(task);
    }

    cluster.forgetUnreachableTasks(id);
    cluster.recoveredAgents.delete(id);
    cluster.unreachableAgents.delete(id);
    cluster.removedAgents.delete(id);
    metrics.counters.slave_reregistrations.inc();
    this.agents.add(agent);
    messages.reregistered(agent, {
      slave_id: agent.idMessage,
      reconciliations: [],
      connection: connection(this.context),
    });
    if (logger.enabled("info")) {
      logger.info({ agent: id, pid: agent.pid, resources: String(agent.total) }, "Re-registered an agent");
    }
    this.endCompleted(agent, infos.keys());
    this.tellFrameworks(agent, earlier);
    this.collaborators.draining.reregistered(agent);
  }

  /** A task that counted as unreachable or lost still exists: its scheduler is told so, whatever it was told before. */
  private welcome(task: TaskEntry): void {
    const { cluster, clock } = this.context;
    const framework = cluster.frameworks.get(task.frameworkId);
    if (framework === undefined) return;
    framework.unreachable.delete(task.id);
    framework.completed.remove((completed) => completed.task_id?.value === task.id);
    const state = task.toldState;
    if (!framework.connected || state === undefined) return;
    const wasUnreachable = cluster.unreachableAgents.has(task.agentId);
    const status = masterStatus({
      taskId: task.message.task_id,
      agentId: task.message.agent_id,
      executorId: task.message.executor_id,
      state,
      reason: Reason.REASON_AGENT_REREGISTERED,
      message: wasUnreachable ? "Unreachable agent re-reregistered" : "Unknown agent reregistered",
      now: clock.now(),
      of: task.message,
    });
    framework.send(update(status));
  }

  /** The master knows this agent: what both know about it is compared. */
  private reconnect(agent: Agent, facts: AgentFacts, message: ReregisterSlaveMessage): void {
    const { allocator, logger, messages } = this.context;
    if (!sameInfo(agent.info, facts.info) || !facts.total.equals(agent.total))
      this.agents.reconfigured(agent);
    agent.update(facts);
    agent.awaitsUpdate = agent.can(Capability.RESOURCE_PROVIDER);
    this.agents.attach(agent);
    agent.reregisteredTime = nowSeconds(this.context);
    allocator.updateAgent({
      id: agent.id,
      info: agent.info,
      capabilities: agent.capabilities,
      total: agent.total,
    });
    messages.reregistered(agent, {
      slave_id: agent.idMessage,
      reconciliations: unreportedTasks(agent, message.tasks, this.context),
      connection: connection(this.context),
    });
    this.relearn(agent, message);
    this.removeMissingExecutors(agent, message.executor_infos);
    this.repeatKills(agent, message.tasks);
    // Also those of which the agent has no task: it may have refused the only one, or have an executor without any.
    const ids = [
      ...message.frameworks.map(({ id }) => id),
      ...message.tasks.map(({ framework_id: id }) => id),
    ];
    this.endCompleted(agent, new Set(ids.map((id) => id?.value ?? "")));
    this.agents.reconnected(agent);
    if (!agent.can(Capability.RESOURCE_PROVIDER)) messages.checkpointResources(agent);
    this.tellFrameworks(agent, message.frameworks);
    this.collaborators.draining.reregistered(agent);
    logger.info({ agent: agent.id, pid: agent.pid }, "Re-registered an agent");
  }

  /**
   * Adds tasks and executors that the agent still has but the master dropped. It dropped them when the link broke, because their framework
   * does not checkpoint, although only the link had failed; or because an older report that was delayed on the way did not include them. In
   * the second case their resources may have been offered already.
   */
  private relearn(agent: Agent, message: ReregisterSlaveMessage): void {
    const { cluster, ledger, allocator } = this.context;
    const infos = new Map(message.frameworks.map((info) => [info.id?.value ?? "", info]));
    const framework = (id: string): Framework | undefined => {
      const info = infos.get(id);
      if (cluster.completedFrameworks.has(id)) return undefined;
      return cluster.frameworks.get(id) ?? (info && this.collaborators.frameworks.recover(info));
    };
    const held = (id: string, resources: Resources): void => {
      if (agent.offers.size > 0) this.agents.reconfigured(agent);
      allocator.addResourceProvider({
        agentId: agent.id,
        total: Resources.empty,
        used: new Map([[id, resources]]),
      });
    };
    for (const reported of message.tasks) {
      const id = reported.framework_id?.value ?? "";
      if (isTerminal(reported.state) || agent.task(id, reported.task_id?.value ?? "") !== undefined) continue;
      const owner = framework(id);
      if (owner === undefined) continue;
      const task = readTask(reported, allocationRole(agent, owner.info));
      this.welcome(task);
      ledger.addTask(task, agent, owner);
      held(id, task.resources);
    }
    for (const reported of message.executor_infos) {
      const id = reported.framework_id?.value ?? "";
      const owner = agent.hasExecutor(id, reported.executor_id?.value ?? "") ? undefined : framework(id);
      if (owner === undefined) continue;
      const executor = new ExecutorEntry(agent.id, readExecutor(reported, allocationRole(agent, owner.info)));
      ledger.addExecutor(executor, agent, owner);
      held(id, executor.resources);
    }
  }

  private removeMissingExecutors(agent: Agent, infos: readonly ExecutorInfo[]): void {
    const reported = new Set(
      infos.map((info) => frameworkKey(info.framework_id?.value, info.executor_id?.value)),
    );
    for (const executor of [...agent.executors()]) {
      if (!reported.has(frameworkKey(executor.frameworkId, executor.id))) {
        this.context.ledger.removeExecutor(executor, agent);
      }
    }
  }

  /** A kill may have been lost with the link. */
  private repeatKills(agent: Agent, tasks: readonly Task[]): void {
    for (const { framework_id, task_id, state } of tasks) {
      if (isTerminal(state)) continue;
      if (!agent.killedTasks.get(framework_id?.value ?? "")?.has(task_id?.value ?? "")) continue;
      this.context.messages.killTask(agent, { framework_id, task_id });
    }
  }

  /** Frameworks that completed while the agent was away still exist on it. */
  private endCompleted(agent: Agent, frameworkIds: Iterable<string>): void {
    for (const id of frameworkIds) {
      if (this.context.cluster.completedFrameworks.has(id))
        this.context.messages.shutdownFramework([agent], id);
    }
  }

  private tellFrameworks(agent: Agent, infos: readonly FrameworkInfo[]): void {
    const { cluster, messages } = this.context;
    for (const info of infos) {
      const id = info.id?.value ?? "";
      const framework = cluster.frameworks.get(id);
      if (framework !== undefined) messages.updateFramework([agent], framework);
      else if (!cluster.completedFrameworks.has(id)) this.collaborators.frameworks.recover(info);
    }
  }
}

/** Compares the encoded forms: infos that differ only in memory encode to the same bytes, and this is the cheaper comparison, too. */
const sameInfo = (left: AgentInfo, right: AgentInfo): boolean =>
  Buffer.compare(AgentInfo.encode(left).finish(), AgentInfo.encode(right).finish()) === 0;
