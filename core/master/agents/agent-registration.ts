import type {
  MasterSlaveConnection,
  RegisterSlaveMessage,
  ReregisterSlaveMessage,
} from "../../../proto/gen/mesos/internal/messages.js";
import type { AgentInfo, MachineID } from "../../../proto/gen/mesos/v1/mesos.js";
import {
  applyCheckpointed,
  failure,
  Resources,
  type Result,
  success,
  toPostRefinement,
} from "../../../sdk/resources/index.js";
import { MINIMUM_AGENT_VERSION } from "../constants.js";
import { type MasterContext, nowSeconds } from "../context.js";
import { parsePid } from "../pid.js";
import { validateRegistration } from "../validation/agent.js";
import { isAtLeast } from "../version.js";
import { Agent, type AgentFacts } from "./agent.js";
import type { Agents } from "./agents.js";

/** Admits new agents, from RegisterSlaveMessage to SlaveRegisteredMessage. */
export class AgentRegistration {
  /** Addresses whose registration is being written to the registry. Agents repeat their registration until it is answered. */
  private readonly registering = new Set<string>();

  constructor(
    private readonly context: MasterContext,
    private readonly agents: Agents,
  ) {}

  async register(pid: string, message: RegisterSlaveMessage): Promise<void> {
    const { cluster, logger, messages, metrics } = this.context;
    metrics.counters.messages_register_slave.inc();
    if (this.registering.has(pid)) return;
    const problem = validateRegistration(message) ?? refusal(this.context, message);
    const facts = problem === undefined ? factsOf(message, pid) : failure(problem);
    if (!facts.ok) {
      logger.warn({ pid, problem: facts.error }, "Refused the registration of an agent");
      return;
    }
    if (cluster.machines.isDown(machineOf(message, pid))) {
      refuseDown(this.context, pid);
      return;
    }
    const known = cluster.agentsByPid.get(pid);
    if (known?.connected) {
      // It is registered already, but missed the answer.
      messages.registered(known, { slave_id: known.idMessage, connection: connection(this.context) });
      return;
    }
    this.registering.add(pid);
    try {
      if (known !== undefined) {
        await this.agents.remove(
          known,
          "a new agent registered at the same address",
          "slave_removals/reason_registered",
        );
      }
      await this.admit(facts.value);
    } catch (err) {
      logger.error({ err, pid }, "Cannot write an agent's registration to the registry");
    } finally {
      this.registering.delete(pid);
    }
  }

  private async admit(facts: AgentFacts): Promise<void> {
    const { ids, logger, messages, metrics, registry } = this.context;
    const info: AgentInfo = { ...facts.info, id: { value: ids.nextAgent() } };
    // False only if the id is taken, which practically cannot happen to ids with a random part. The agent will try again and get another
    // one.
    if (!(await registry.apply({ kind: "admit-agent", agent: info }))) return;
    const agent = new Agent({ ...facts, info }, nowSeconds(this.context));
    metrics.counters.slave_registrations.inc();
    this.agents.add(agent);
    messages.registered(agent, { slave_id: agent.idMessage, connection: connection(this.context) });
    if (logger.enabled("info")) {
      logger.info({ agent: agent.id, pid: agent.pid, resources: String(agent.total) }, "Registered an agent");
    }
  }
}

/** How long an agent waits for pings before it looks for another master. */
export function connection({ options }: Pick<MasterContext, "options">): MasterSlaveConnection {
  const ms = options.agentPingTimeout * options.maxAgentPingTimeouts;
  return { total_ping_timeout_seconds: ms / 1000 };
}

type Introduction = RegisterSlaveMessage | ReregisterSlaveMessage;

/** Why this master cannot accept an agent whose message is valid. The agent is not shut down: its tasks may go on. */
export function refusal(
  { info, options }: Pick<MasterContext, "info" | "options">,
  { slave, version = "" }: Introduction,
): string | undefined {
  if (!isAtLeast(version, MINIMUM_AGENT_VERSION)) {
    return `agent version is '${version}', minimum supported agent version is ${MINIMUM_AGENT_VERSION}`;
  }
  if (slave?.domain !== undefined && info.domain === undefined) {
    return "the agent has a domain but the master has none";
  }
  return options.requireAgentDomain && slave?.domain === undefined ? "the agent has no domain" : undefined;
}

/** The machine of the agent at this address. */
export const machineOf = ({ slave }: Introduction, pid: string): MachineID => ({
  hostname: slave?.hostname ?? "",
  ip: parsePid(pid).ip,
});

/** Nothing may run on a machine that is down for maintenance. */
export function refuseDown({ logger, messages }: MasterContext, pid: string): void {
  logger.warn({ pid }, "Shutting down an agent: its machine is down for maintenance");
  messages.shutdown(pid, "Machine is `DOWN`");
}

/**
 * What a valid message says about the agent. Inside the master, resources are always in the post-refinement format.
 *
 * @param checkpointed the reservations and volumes on the agent, unless the agent itself knows them best
 */
export function factsOf(
  message: Introduction,
  pid: string,
  checkpointed = Resources.of(message.checkpointed_resources),
): Result<AgentFacts> {
  const {
    slave,
    version = "",
    agent_capabilities: capabilities,
    resource_version_uuid: resourceVersion,
  } = message;
  if (slave === undefined) return failure("AgentInfo is missing");
  const info = { ...slave, resources: toPostRefinement(slave.resources) };
  const total = applyCheckpointed(Resources.of(info.resources), checkpointed);
  return total.ok
    ? success({ info, pid, version, capabilities, total: total.value, resourceVersion })
    : total;
}
