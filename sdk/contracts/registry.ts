import type { Registry as RegistryState } from "../../proto/gen/mesos/internal/registry.js";
import type { Schedule } from "../../proto/gen/mesos/v1/maintenance/maintenance.js";
import type {
  AgentID,
  AgentInfo,
  DrainConfig,
  MachineID,
  MasterInfo,
  TimeInfo,
  WeightInfo,
} from "../../proto/gen/mesos/v1/mesos.js";
import type { QuotaConfig } from "../../proto/gen/mesos/v1/quota/quota.js";
import { extensionPoint } from "../plugin/extension-point.js";
import type { Tenure } from "./election.js";

/** A change of the cluster's durable state, as data, so that any store can log it. */
export type RegistryOperation =
  | { readonly kind: "admit-agent"; readonly agent: AgentInfo }
  | { readonly kind: "update-agent"; readonly agent: AgentInfo }
  | { readonly kind: "mark-agent-unreachable"; readonly agentId: AgentID; readonly time: TimeInfo }
  | { readonly kind: "mark-agent-reachable"; readonly agent: AgentInfo }
  | { readonly kind: "remove-agent"; readonly agentId: AgentID }
  /** It is never readmitted. */
  | { readonly kind: "mark-agent-gone"; readonly agentId: AgentID; readonly time: TimeInfo }
  /** Also deactivates the agent; with `mark_gone` it is marked gone once it is empty. */
  | { readonly kind: "drain-agent"; readonly agentId: AgentID; readonly config: DrainConfig }
  | { readonly kind: "mark-agent-drained"; readonly agentId: AgentID }
  | { readonly kind: "deactivate-agent"; readonly agentId: AgentID }
  /** Also ends draining. */
  | { readonly kind: "reactivate-agent"; readonly agentId: AgentID }
  /** Replaces the schedule. Machines that are added to it are draining, machines that are no longer in it are up. */
  | { readonly kind: "update-maintenance-schedule"; readonly schedule: Schedule }
  /** Takes scheduled machines down. */
  | { readonly kind: "start-maintenance"; readonly machines: readonly MachineID[] }
  /** Brings the machines up and removes them from the schedule. */
  | { readonly kind: "stop-maintenance"; readonly machines: readonly MachineID[] }
  | { readonly kind: "update-weights"; readonly weights: readonly WeightInfo[] }
  /** A config without guarantees and limits removes the role's quota. */
  | { readonly kind: "update-quotas"; readonly configs: readonly QuotaConfig[] }
  | { readonly kind: "prune"; readonly unreachable: readonly AgentID[]; readonly gone: readonly AgentID[] };

/**
 * The master's durable memory: which agents were admitted, are unreachable, gone, draining or deactivated; weights and quotas of roles;
 * the maintenance schedule.
 * `apply` resolves only when the change survives a crash; operations of one turn are written together.
 */
export interface Registry {
  /**
   * Reads everything and records the new leader. Rejects with TEPUI_REGISTRY_UNREADABLE, or with TEPUI_REGISTRY_WRITE_FAILED if only the leader
   * could not be recorded.
   *
   * @param tenure if it no longer holds, nobody else may be fenced off: then this rejects
   */
  recover(master: MasterInfo, tenure?: Tenure): Promise<RegistryState>;
  /** Resolves to whether the operation changed anything. Rejects if it could not be made durable. */
  apply(operation: RegistryOperation): Promise<boolean>;
  /**
   * What is stored now, for readers: works on a master that does not lead, too, while the leader may be writing. Writes nothing and fences
   * nobody off. Undefined: nothing is stored yet. Rejects with an Error if it cannot be read.
   */
  peek?(): Promise<RegistryState | undefined>;
}

export const Registry = extensionPoint<Registry, "one">("tepui.registry", {
  version: "1.0",
  cardinality: "one",
});
