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

/** A change of the durable cluster facts, as data so that any store can log it. */
export type RegistryOperation =
  | { readonly kind: "admit-agent"; readonly agent: AgentInfo }
  | { readonly kind: "update-agent"; readonly agent: AgentInfo }
  | { readonly kind: "mark-agent-unreachable"; readonly agentId: AgentID; readonly time: TimeInfo }
  | { readonly kind: "mark-agent-reachable"; readonly agent: AgentInfo }
  | { readonly kind: "remove-agent"; readonly agentId: AgentID }
  /** It is never let back. */
  | { readonly kind: "mark-agent-gone"; readonly agentId: AgentID; readonly time: TimeInfo }
  /** It is deactivated, too; with `mark_gone` it is to be marked gone once it is empty. */
  | { readonly kind: "drain-agent"; readonly agentId: AgentID; readonly config: DrainConfig }
  | { readonly kind: "mark-agent-drained"; readonly agentId: AgentID }
  | { readonly kind: "deactivate-agent"; readonly agentId: AgentID }
  /** Ends draining, too. */
  | { readonly kind: "reactivate-agent"; readonly agentId: AgentID }
  /** Replaces the schedule. Machines that come into it are draining, machines that are no longer in it are up. */
  | { readonly kind: "update-maintenance-schedule"; readonly schedule: Schedule }
  /** Scheduled machines are down from now on. */
  | { readonly kind: "start-maintenance"; readonly machines: readonly MachineID[] }
  /** The machines are up, and no longer in the schedule. */
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
   * Reads everything back and records who leads now. Rejects with TepuiError `REGISTRY_UNREADABLE`, or
   * `REGISTRY_WRITE_FAILED` where only that could not be recorded.
   *
   * @param tenure once it does not hold any more, nobody else may be shut out: then this rejects
   */
  recover(master: MasterInfo, tenure?: Tenure): Promise<RegistryState>;
  /** Resolves to whether the operation changed anything. Rejects when it could not be made durable. */
  apply(operation: RegistryOperation): Promise<boolean>;
  /**
   * What is stored now, for who only looks: also on a master that does not lead, where whoever leads may write meanwhile. Takes no part
   * in the writing and shuts nobody out. Undefined: nothing yet. Rejects with an Error when it cannot be read.
   */
  peek?(): Promise<RegistryState | undefined>;
}

export const Registry = extensionPoint<Registry, "one">("tepui.registry", {
  version: "1.0",
  cardinality: "one",
});
