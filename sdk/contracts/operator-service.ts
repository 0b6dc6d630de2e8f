import type { ClusterStatus, Schedule } from "../../proto/gen/mesos/v1/maintenance/maintenance.js";
import type { DurationInfo, MachineID, Offer_Operation, WeightInfo } from "../../proto/gen/mesos/v1/mesos.js";
import type { QuotaConfig, QuotaRequest } from "../../proto/gen/mesos/v1/quota/quota.js";
import { extensionPoint } from "../plugin/extension-point.js";
import type { Leadership } from "./scheduler-service.js";

export interface OperatorOperation {
  readonly agentId: string;
  /** RESERVE, UNRESERVE, CREATE, DESTROY, GROW_VOLUME or SHRINK_VOLUME, of resources that are allocated to nobody. */
  readonly operation: Offer_Operation;
  readonly principal: string | undefined;
}

export interface AgentDrain {
  readonly agentId: string;
  /** The longest time that a task gets to end; undefined: each has its own. */
  readonly maxGracePeriod?: DurationInfo | undefined;
  /** Once it is empty it is marked gone. */
  readonly markGone: boolean;
}

/** Agents that operators take out of use. Every change is durable when its promise resolves, and outlives masters. */
export interface OperatorAgents {
  /** Ends all tasks there; the agent gets no more. Unknown agents, and those that cannot drain, are refused. */
  drainAgent(drain: AgentDrain): Promise<void>;
  /** The agent gets no more tasks; those that it has go on. */
  deactivateAgent(agentId: string): Promise<void>;
  /** Ends deactivation and finished draining. */
  reactivateAgent(agentId: string): Promise<void>;
  /** The agent is lost for good: its tasks are over, and it is never let back. */
  markAgentGone(agentId: string): Promise<void>;
}

/** Maintenance of machines. Changes are durable when their promises resolve. */
export interface OperatorMaintenance {
  maintenanceSchedule(): Schedule;
  /** With the answers that frameworks gave to inverse offers of this master. */
  maintenanceStatus(): ClusterStatus;
  /** Replaces the schedule as a whole. */
  updateMaintenanceSchedule(schedule: Schedule): Promise<void>;
  /** Brings scheduled machines down: their agents are ended and removed, and cannot come back before `stopMaintenance`. */
  startMaintenance(machines: readonly MachineID[]): Promise<void>;
  /** Brings machines up, and takes them off the schedule. */
  stopMaintenance(machines: readonly MachineID[]): Promise<void>;
}

/**
 * What operators may change, behind every edge (v0 endpoints, v1 API). Edges translate; all rules live here.
 *
 * Refusals are TepuiErrors whose kind gives the status and whose detail has Mesos's text: TEPUI_OPERATOR_REQUEST_INVALID (400),
 * TEPUI_OPERATOR_AGENT_UNKNOWN (404), TEPUI_OPERATOR_RESOURCES_IN_USE, TEPUI_OPERATOR_QUOTA_OVERCOMMITS and
 * TEPUI_OPERATOR_AGENT_CHANGING (409), TEPUI_OPERATOR_AGENT_BUSY and TEPUI_OPERATOR_NOT_LEADING (503).
 */
export interface OperatorService extends OperatorAgents, OperatorMaintenance {
  leadership(): Leadership;
  /** Starts an operation on an agent's free resources; offers that stand in its way are rescinded. Returning means accepted (202). */
  operate(request: OperatorOperation): void;
  /** Of all roles that have one set, sorted by role. */
  weights(): readonly WeightInfo[];
  /** Resolves when they are durable. */
  updateWeights(weights: readonly WeightInfo[]): Promise<void>;
  /** Of all roles that have one, sorted by role. */
  quotas(): readonly QuotaConfig[];
  /** All or none; a config without guarantees and limits ends a quota. `force` skips the checks of consumption and capacity. */
  updateQuota(update: { readonly configs: readonly QuotaConfig[]; readonly force: boolean }): Promise<void>;
  /** The older form: a guarantee that is the limit too, for a role without quota. */
  setQuota(request: QuotaRequest): Promise<void>;
  removeQuota(role: string): Promise<void>;
  /** Ends a framework: its tasks are killed, its id is never used again. */
  teardown(frameworkId: string): void;
}

export const OperatorService = extensionPoint<OperatorService, "one">("tepui.operator-service", {
  version: "1.0",
  cardinality: "one",
});
