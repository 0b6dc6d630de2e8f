import {
  AgentInfo_Capability_Type as Capability,
  type DrainConfig,
  type DrainInfo,
  DrainState,
  type MachineID,
} from "../../../proto/gen/mesos/v1/mesos.js";
import type { AgentDrain } from "../../../sdk/contracts/operator-service.js";
import { TepuiError } from "../../../sdk/errors/index.js";
import { machineKey } from "../../../sdk/registry/index.js";
import type { Agent } from "../agents/agent.js";
import type { Agents } from "../agents/agents.js";
import { type MasterContext, nowSeconds } from "../context.js";
import type { GoneAgents } from "./gone-agents.js";

/**
 * Agents that an operator deactivated or is draining:
 * deactivated -> reactivated; draining -> (nothing is left there) -> drained, or gone -> reactivated.
 *
 * Everything is written to the registry first, so that it survives the master, and applies to agents that are away, too.
 */
export class Draining {
  /** Agents on which something has ended in this turn. */
  private readonly suspects = new Set<Agent>();
  /** Agents whose end of draining is being written to the registry. */
  private readonly ending = new Set<Agent>();

  constructor(
    private readonly context: MasterContext,
    private readonly agents: Agents,
    private readonly gone: GoneAgents,
  ) {}

  async drain({ agentId: id, maxGracePeriod, markGone }: AgentDrain): Promise<void> {
    const { cluster, logger, messages, registry } = this.context;
    checkGracePeriod(maxGracePeriod?.nanoseconds);
    const registered = cluster.agents.get(id);
    if (registered !== undefined) this.checkDrainable(registered);
    this.checkKnown(id);
    if (this.agents.markingGone.has(id)) throw conflict("Agent is currently being marked gone");
    const config: DrainConfig = { mark_gone: markGone };
    if (maxGracePeriod !== undefined) config.max_grace_period = maxGracePeriod;
    await registry.apply({ kind: "drain-agent", agentId: { value: id }, config });
    if (!cluster.knows(id)) return;
    logger.info({ agent: id, markGone }, "Draining an agent");
    const info: DrainInfo = { state: DrainState.DRAINING, config };
    cluster.draining.set(id, info);
    cluster.deactivatedAgents.add(id);
    const agent = cluster.agents.get(id);
    if (agent === undefined) return;
    agent.drainInfo = info;
    agent.estimatedDrainStartTime = nowSeconds(this.context);
    this.agents.setDeactivated(agent);
    messages.drain(agent, { config });
    this.suspect(agent);
  }

  /** Best effort: an agent that is away may come back on another machine, or in an older version. */
  private checkDrainable(agent: Agent): void {
    const { machines } = this.context.cluster;
    const key = machineKey(agent.machineId);
    if (machines.schedule.windows.some(({ machine_ids: ids }) => ids.some((id) => machineKey(id) === key))) {
      const machine = machineText(agent.machineId);
      throw invalid(`Agent ${agent.id} is part of a maintenance schedule under Machine ${machine}`);
    }
    if (!agent.can(Capability.AGENT_DRAINING)) throw invalid(`Agent ${agent.id} is not capable of draining`);
  }

  async deactivate(id: string): Promise<void> {
    const { cluster, logger, registry } = this.context;
    this.checkKnown(id);
    await registry.apply({ kind: "deactivate-agent", agentId: { value: id } });
    if (!cluster.knows(id)) return;
    logger.info({ agent: id }, "Deactivated an agent");
    cluster.deactivatedAgents.add(id);
    const agent = cluster.agents.get(id);
    if (agent !== undefined) this.agents.setDeactivated(agent);
  }

  async reactivate(id: string): Promise<void> {
    const { cluster, logger, registry } = this.context;
    if (!cluster.deactivatedAgents.has(id)) throw invalid("Agent is not deactivated");
    if (cluster.draining.get(id)?.state === DrainState.DRAINING) {
      throw invalid("Agent is still in the DRAINING state");
    }
    await registry.apply({ kind: "reactivate-agent", agentId: { value: id } });
    cluster.draining.delete(id);
    cluster.deactivatedAgents.delete(id);
    const agent = cluster.agents.get(id);
    if (agent === undefined) throw conflict("Agent removed while processing the call");
    logger.info({ agent: id }, "Reactivated an agent");
    agent.drainInfo = undefined;
    agent.estimatedDrainStartTime = undefined;
    this.agents.reactivate(agent);
  }

  private checkKnown(id: string): void {
    if (!this.context.cluster.knows(id)) throw invalid("Unknown agent");
  }

  /** The agent is back. It may have missed the message, or forgotten it. */
  reregistered(agent: Agent): void {
    const info = this.context.cluster.draining.get(agent.id);
    if (info === undefined) return;
    this.context.messages.drain(agent, { config: info.config });
    this.changed(agent);
  }

  /** Something on the agent may have ended. */
  changed(agent: Agent): void {
    // The master gave it up while the agent was away. Only the agent knows whether it has really ended, and says so when it is back.
    if (!agent.connected) agent.awaitsUpdate = true;
    this.suspect(agent);
  }

  /** Checked at the end of the turn, because tasks are also removed together with their agent. */
  private suspect(agent: Agent): void {
    if (this.context.cluster.draining.get(agent.id)?.state !== DrainState.DRAINING) return;
    if (this.suspects.size === 0) queueMicrotask(() => this.checkSuspects());
    this.suspects.add(agent);
  }

  private checkSuspects(): void {
    const suspects = [...this.suspects];
    this.suspects.clear();
    for (const agent of suspects) {
      const here = this.context.cluster.agents.get(agent.id) === agent;
      if (here && isEmpty(agent) && !this.ending.has(agent)) void this.markDrained(agent);
    }
  }

  private async markDrained(agent: Agent): Promise<void> {
    const { cluster, logger, registry } = this.context;
    const info = cluster.draining.get(agent.id);
    if (info?.state !== DrainState.DRAINING || this.agents.markingGone.has(agent.id)) return;
    this.ending.add(agent);
    try {
      if (info.config?.mark_gone === true) {
        await this.gone.mark(agent.id);
        return;
      }
      await registry.apply({ kind: "mark-agent-drained", agentId: agent.idMessage });
    } catch (err) {
      logger.error({ err, agent: agent.id }, "Cannot write to the registry that an agent is drained");
      return;
    } finally {
      this.ending.delete(agent);
    }
    if (cluster.draining.get(agent.id) !== info) {
      // Removed, or asked to drain again, in the meantime: the write may have been for the earlier request.
      this.suspect(agent);
      return;
    }
    logger.info({ agent: agent.id }, "Drained an agent");
    const drained = { ...info, state: DrainState.DRAINED };
    cluster.draining.set(agent.id, drained);
    const now = cluster.agents.get(agent.id);
    if (now !== undefined) now.drainInfo = drained;
  }
}

/** The range that the agent messages and kill policies can carry. */
function checkGracePeriod(nanoseconds = 0n): void {
  if (nanoseconds >= 0n && nanoseconds < 2n ** 63n) return;
  throw invalid("'max_grace_period' is negative or too long");
}

/** Nothing runs there, and every end has been acknowledged. */
const isEmpty = ({ taskEntries, operationEntries, awaitsUpdate }: Agent): boolean =>
  taskEntries.size === 0 && operationEntries.size === 0 && !awaitsUpdate;

const machineText = ({ hostname, ip }: MachineID): string => `${hostname} (${ip})`;

const invalid = (detail: string): TepuiError => new TepuiError("TEPUI_OPERATOR_REQUEST_INVALID", { detail });

const conflict = (detail: string): TepuiError => new TepuiError("TEPUI_OPERATOR_AGENT_CHANGING", { detail });
