import {
  Registry,
  type Registry_Slave,
  type Registry_UnreachableSlave,
} from "../../proto/gen/mesos/internal/registry.js";
import { AgentInfo, DrainInfo, DrainState, type WeightInfo } from "../../proto/gen/mesos/v1/mesos.js";
import type { QuotaConfig } from "../../proto/gen/mesos/v1/quota/quota.js";
import type { RegistryOperation } from "../contracts/registry.js";
import { startMaintenance, stopMaintenance, updateSchedule } from "./maintenance.js";
import { withCapability } from "./minimum-capabilities.js";
import type { RegistryFacts } from "./registry-facts.js";

/**
 * Applies one operation and returns whether it changed anything. An operation that does not fit (an agent admitted twice, an unknown one
 * removed) changes nothing. Deterministic and without I/O, so any store can replay a log of operations with it.
 *
 * The facts are changed in place: with 10,000 agents, copying them for each change would cost more than everything else.
 */
export function applyOperation(facts: RegistryFacts, operation: RegistryOperation): boolean {
  switch (operation.kind) {
    case "admit-agent":
      return admit(facts, operation.agent);
    case "update-agent":
      return update(facts, operation.agent);
    case "mark-agent-unreachable":
      return markUnreachable(facts, operation);
    case "mark-agent-reachable":
      return markReachable(facts, operation.agent);
    case "remove-agent":
      return facts.admitted.delete(operation.agentId.value ?? "");
    case "mark-agent-gone":
      return markGone(facts, operation);
    case "drain-agent":
      return drain(facts, operation);
    case "mark-agent-drained":
      return markDrained(facts, operation.agentId.value ?? "");
    case "deactivate-agent":
      return deactivate(facts, operation.agentId.value ?? "");
    case "reactivate-agent":
      return reactivate(facts, operation.agentId.value ?? "");
    case "update-maintenance-schedule":
      return updateSchedule(facts, operation.schedule);
    case "start-maintenance":
      return startMaintenance(facts, operation.machines);
    case "stop-maintenance":
      return stopMaintenance(facts, operation.machines);
    case "prune":
      return prune(facts, operation);
    case "update-weights":
      return updateWeights(facts, operation.weights);
    case "update-quotas":
      return updateQuotas(facts, operation.configs);
  }
}

type Of<K extends RegistryOperation["kind"]> = Extract<RegistryOperation, { kind: K }>;

const idOf = (agent: AgentInfo): string => agent.id?.value ?? "";

/** Ids are new at admission; one that is on any list already is the caller's mistake. */
function admit(facts: RegistryFacts, agent: AgentInfo): boolean {
  const id = idOf(agent);
  if (id === "" || facts.admitted.has(id) || facts.unreachable.has(id) || facts.gone.has(id)) return false;
  facts.admitted.set(id, { info: agent });
  return true;
}

function update(facts: RegistryFacts, agent: AgentInfo): boolean {
  const id = idOf(agent);
  const before = facts.admitted.get(id);
  if (before === undefined || sameAgent(before.info, agent)) return false;
  facts.admitted.set(id, { ...before, info: agent });
  return true;
}

/** The draining and deactivation state moves with the agent from list to list. */
function markUnreachable(facts: RegistryFacts, operation: Of<"mark-agent-unreachable">): boolean {
  const id = operation.agentId.value ?? "";
  const agent = facts.admitted.get(id);
  if (agent === undefined) return false;
  facts.admitted.delete(id);
  facts.unreachable.set(id, {
    id: operation.agentId,
    timestamp: operation.time,
    drain_info: agent.drain_info,
    deactivated: agent.deactivated,
  });
  return true;
}

/** Also admits an agent that is on no list: it may have been pruned while it was away. An agent that is gone never returns. */
function markReachable(facts: RegistryFacts, info: AgentInfo): boolean {
  const id = idOf(info);
  if (id === "" || facts.admitted.has(id) || facts.gone.has(id)) return false;
  const away = facts.unreachable.get(id);
  facts.unreachable.delete(id);
  facts.admitted.set(id, { info, drain_info: away?.drain_info, deactivated: away?.deactivated });
  return true;
}

function markGone(facts: RegistryFacts, { agentId, time }: Of<"mark-agent-gone">): boolean {
  const id = agentId.value ?? "";
  // It is on one of the lists at most.
  if (!facts.admitted.delete(id) && !facts.unreachable.delete(id)) return false;
  facts.gone.set(id, { id: agentId, timestamp: time });
  return true;
}

type Drainable = Pick<Registry_Slave | Registry_UnreachableSlave, "drain_info" | "deactivated">;

/** Changes what is stored about an agent, if it is known; `change` gives undefined when there is nothing to change. */
function changeAgent(
  facts: RegistryFacts,
  id: string,
  change: (agent: Drainable) => Drainable | undefined,
): boolean {
  const changeIn = <T extends Drainable>(list: Map<string, T>): boolean => {
    const agent = list.get(id);
    const changed = agent === undefined ? undefined : change(agent);
    if (agent === undefined || changed === undefined) return false;
    list.set(id, { ...agent, ...changed });
    return true;
  };
  return changeIn(facts.admitted) || changeIn(facts.unreachable);
}

function drain(facts: RegistryFacts, { agentId, config }: Of<"drain-agent">): boolean {
  const info: DrainInfo = { state: DrainState.DRAINING, config };
  const changed = changeAgent(facts, agentId.value ?? "", ({ drain_info, deactivated }) =>
    deactivated === true && drain_info !== undefined && sameDrain(drain_info, info)
      ? undefined
      : { drain_info: info, deactivated: true },
  );
  if (changed) needDraining(facts, true);
  return changed;
}

const sameDrain = (left: DrainInfo, right: DrainInfo): boolean =>
  Buffer.compare(DrainInfo.encode(left).finish(), DrainInfo.encode(right).finish()) === 0;

function markDrained(facts: RegistryFacts, id: string): boolean {
  return changeAgent(facts, id, ({ drain_info, deactivated }) =>
    drain_info?.state === DrainState.DRAINING
      ? { drain_info: { ...drain_info, state: DrainState.DRAINED }, deactivated }
      : undefined,
  );
}

function deactivate(facts: RegistryFacts, id: string): boolean {
  const changed = changeAgent(facts, id, ({ drain_info, deactivated }) =>
    deactivated === true ? undefined : { drain_info, deactivated: true },
  );
  if (changed) needDraining(facts, true);
  return changed;
}

function reactivate(facts: RegistryFacts, id: string): boolean {
  const changed = changeAgent(facts, id, ({ drain_info, deactivated }) =>
    drain_info === undefined && deactivated === undefined
      ? undefined
      : { drain_info: undefined, deactivated: undefined },
  );
  if (changed) needDraining(facts, isAnyDeactivated(facts));
  return changed;
}

function isAnyDeactivated({ admitted, unreachable }: RegistryFacts): boolean {
  for (const { deactivated } of admitted.values()) if (deactivated === true) return true;
  for (const { deactivated } of unreachable.values()) if (deactivated === true) return true;
  return false;
}

/** A master that does not know about deactivation would offer the resources of these agents. */
function needDraining(facts: RegistryFacts, needed: boolean): void {
  const { minimum_capabilities: before } = facts.rest;
  const after = withCapability(before, "AGENT_DRAINING", needed);
  if (after !== before) facts.rest = { ...facts.rest, minimum_capabilities: after };
}

function prune(facts: RegistryFacts, operation: Of<"prune">): boolean {
  let changed = false;
  for (const { value } of operation.unreachable) if (facts.unreachable.delete(value ?? "")) changed = true;
  for (const { value } of operation.gone) if (facts.gone.delete(value ?? "")) changed = true;
  return changed;
}

function updateWeights(facts: RegistryFacts, weights: readonly WeightInfo[]): boolean {
  const before = new Map(facts.rest.weights.map((one) => [one.info?.role, one.info]));
  const byRole = new Map(before);
  // If a role is named twice, the last entry wins.
  for (const info of weights) byRole.set(info.role, info);
  const changed = weights.some(({ role }) => byRole.get(role)?.weight !== before.get(role)?.weight);
  if (changed) facts.rest = { ...facts.rest, weights: Array.from(byRole.values(), (info) => ({ info })) };
  return changed;
}

function updateQuotas(facts: RegistryFacts, configs: readonly QuotaConfig[]): boolean {
  const { quota_configs: before, quotas, minimum_capabilities: needed } = facts.rest;
  const byRole = new Map(before.map((config) => [config.role, config]));
  const roles = new Set(configs.map(({ role }) => role));
  for (const config of configs) {
    const none = Object.keys(config.guarantees).length + Object.keys(config.limits).length === 0;
    if (none) byRole.delete(config.role);
    else byRole.set(config.role, config);
  }
  const rest = {
    ...facts.rest,
    quota_configs: [...byRole.values()],
    // The older form of the same quota.
    quotas: quotas.filter(({ info }) => !roles.has(info?.role)),
    // A master that does not know about limits must not read a registry that has some.
    minimum_capabilities: withCapability(needed, "QUOTA_V2", byRole.size > 0),
  };
  if (Buffer.compare(Registry.encode(facts.rest).finish(), Registry.encode(rest).finish()) === 0)
    return false;
  facts.rest = rest;
  return true;
}

function sameAgent(left: AgentInfo | undefined, right: AgentInfo): boolean {
  if (left === undefined) return false;
  return Buffer.compare(AgentInfo.encode(left).finish(), AgentInfo.encode(right).finish()) === 0;
}
