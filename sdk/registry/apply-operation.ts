import { AgentInfo, type WeightInfo } from "../../proto/gen/mesos/v1/mesos.js";
import type { QuotaConfig } from "../../proto/gen/mesos/v1/quota/quota.js";
import type { RegistryOperation } from "../contracts/registry.js";
import type { RegistryFacts } from "./registry-facts.js";

/**
 * Applies one operation and says whether it changed anything; one that does not fit (an agent admitted twice, an unknown one
 * removed) changes nothing. Deterministic and without I/O, so that any store can replay a log of operations with it.
 *
 * The facts are changed in place: with 10,000 agents a copy for each change would cost more than all the rest.
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

/** Ids are new at admission, so one on any list is a fault of the caller's. */
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

/** Draining and deactivation follow the agent from list to list. */
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

/** Also admits an agent that no list knows: it may have been pruned while it was away. One that is gone never returns. */
function markReachable(facts: RegistryFacts, info: AgentInfo): boolean {
  const id = idOf(info);
  if (id === "" || facts.admitted.has(id) || facts.gone.has(id)) return false;
  const away = facts.unreachable.get(id);
  facts.unreachable.delete(id);
  facts.admitted.set(id, { info, drain_info: away?.drain_info, deactivated: away?.deactivated });
  return true;
}

function prune(facts: RegistryFacts, operation: Of<"prune">): boolean {
  let changed = false;
  for (const { value } of operation.unreachable) if (facts.unreachable.delete(value ?? "")) changed = true;
  for (const { value } of operation.gone) if (facts.gone.delete(value ?? "")) changed = true;
  return changed;
}

function updateWeights(facts: RegistryFacts, weights: readonly WeightInfo[]): boolean {
  const byRole = new Map(facts.rest.weights.map((one) => [one.info?.role, one.info]));
  let changed = false;
  for (const info of weights) {
    if (byRole.get(info.role)?.weight === info.weight) continue;
    byRole.set(info.role, info);
    changed = true;
  }
  if (changed) facts.rest = { ...facts.rest, weights: Array.from(byRole.values(), (info) => ({ info })) };
  return changed;
}

/** Masters that do not know of limits must not read a registry that has some. */
const QUOTA_V2 = "QUOTA_V2";

function updateQuotas(facts: RegistryFacts, configs: readonly QuotaConfig[]): boolean {
  const { quota_configs: before, quotas, minimum_capabilities: needed } = facts.rest;
  const byRole = new Map(before.map((config) => [config.role, config]));
  const roles = new Set(configs.map(({ role }) => role));
  for (const config of configs) {
    const none = Object.keys(config.guarantees).length + Object.keys(config.limits).length === 0;
    if (none) byRole.delete(config.role);
    else byRole.set(config.role, config);
  }
  const others = needed.filter(({ capability }) => capability !== QUOTA_V2);
  facts.rest = {
    ...facts.rest,
    quota_configs: [...byRole.values()],
    // The older form of the same.
    quotas: quotas.filter(({ info }) => !roles.has(info?.role)),
    minimum_capabilities: byRole.size > 0 ? [...others, { capability: QUOTA_V2 }] : others,
  };
  return configs.length > 0;
}

function sameAgent(left: AgentInfo | undefined, right: AgentInfo): boolean {
  if (left === undefined) return false;
  return Buffer.compare(AgentInfo.encode(left).finish(), AgentInfo.encode(right).finish()) === 0;
}
