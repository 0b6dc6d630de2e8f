import type { Registry as RegistryState } from "../../proto/gen/mesos/internal/registry.js";
import type { AgentID, AgentInfo, MasterInfo, TimeInfo, WeightInfo } from "../../proto/gen/mesos/v1/mesos.js";
import type { QuotaConfig } from "../../proto/gen/mesos/v1/quota/quota.js";
import { extensionPoint } from "../plugin/extension-point.js";

/** A change of the durable cluster facts, as data so that any store can log it. */
export type RegistryOperation =
  | { readonly kind: "admit-agent"; readonly agent: AgentInfo }
  | { readonly kind: "update-agent"; readonly agent: AgentInfo }
  | { readonly kind: "mark-agent-unreachable"; readonly agentId: AgentID; readonly time: TimeInfo }
  | { readonly kind: "mark-agent-reachable"; readonly agent: AgentInfo }
  | { readonly kind: "remove-agent"; readonly agentId: AgentID }
  | { readonly kind: "update-weights"; readonly weights: readonly WeightInfo[] }
  /** A config without guarantees and limits removes the role's quota. */
  | { readonly kind: "update-quotas"; readonly configs: readonly QuotaConfig[] }
  | { readonly kind: "prune"; readonly unreachable: readonly AgentID[]; readonly gone: readonly AgentID[] };

/**
 * The master's durable memory: which agents were admitted, are unreachable or gone; weights and quotas of roles.
 * `apply` resolves only when the change survives a crash; operations of one turn are written together.
 */
export interface Registry {
  /** Reads everything back and records who leads now. Rejects with TepuiError `REGISTRY_UNREADABLE`. */
  recover(master: MasterInfo): Promise<RegistryState>;
  /** Resolves to whether the operation changed anything. Rejects when it could not be made durable. */
  apply(operation: RegistryOperation): Promise<boolean>;
}

export const Registry = extensionPoint<Registry, "one">("tepui.registry", {
  version: "1.0",
  cardinality: "one",
});
