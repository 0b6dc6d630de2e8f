import type { InverseOfferStatus } from "../../proto/gen/mesos/v1/allocator/allocator.js";
import type {
  AgentInfo,
  AgentInfo_Capability,
  Filters,
  FrameworkInfo,
  Unavailability,
} from "../../proto/gen/mesos/v1/mesos.js";
import type { OfferConstraints } from "../../proto/gen/mesos/v1/scheduler/scheduler.js";
import { extensionPoint } from "../plugin/extension-point.js";
import type { Quantities, Resources } from "../resources/index.js";
import type { FrameworkExplanation } from "./allocator-explanation.js";

/** What one framework is offered in one role: agent id -> allocated resources (with `allocation_info.role`). */
export type OfferedByAgent = ReadonlyMap<string, Resources>;

/** What an allocator has to say. */
export interface AllocatorCallbacks {
  /** New offers for one framework and role. May be called from within any method of the allocator. */
  offer(offer: { frameworkId: string; role: string; agents: OfferedByAgent }): void;
  /**
   * Agents on which a framework holds something will be unavailable: it is to be asked whether it can do without them. One
   * inverse offer per agent and framework is outstanding until `updateInverseOffer`.
   */
  inverseOffer?(offer: { frameworkId: string; agents: ReadonlyMap<string, Unavailability> }): void;
}

/** A framework as it is subscribed. */
export interface AllocatorFramework {
  readonly id: string;
  readonly info: FrameworkInfo;
  /** Inactive frameworks keep their allocation and get no offers. */
  readonly active: boolean;
  readonly suppressedRoles: readonly string[];
  readonly offerConstraints: OfferConstraints | undefined;
}

/** An agent as it has registered. */
export interface AllocatorAgent {
  readonly id: string;
  readonly info: AgentInfo;
  readonly capabilities: readonly AgentInfo_Capability[];
  readonly total: Resources;
  /** Framework id -> what it already holds there (allocated resources). */
  readonly used: ReadonlyMap<string, Resources>;
  /** When maintenance is scheduled there. */
  readonly unavailability?: Unavailability | undefined;
}

/** Resources that a framework has no more. */
export interface ResourceRecovery {
  readonly frameworkId: string;
  readonly agentId: string;
  /** Allocated resources that are free again. */
  readonly resources: Resources;
  /** Refusal filter to set; absent: none (a task ended, an offer was rescinded). */
  readonly filters?: Filters | undefined;
  /** Whether they had been passed to `transition`. */
  readonly allocated?: boolean | undefined;
}

/** The quota of a top-level role, in thousandths; without guarantees and limits it is the default, which is none. */
export interface RoleQuota {
  readonly guarantees: Quantities;
  /** A missing name is unlimited; 0 is a limit too. */
  readonly limits: Quantities;
}

/** One step of an offer operation: resources that become others. Nothing consumed: more copies of shared resources. */
export interface Conversion {
  readonly consumed: Resources;
  readonly converted: Resources;
}

/** Quota: what a role is sure to get, and what it cannot exceed. */
export interface AllocatorQuotas {
  /** Replaces the quota of a top-level role; it holds for the role and all roles below it. */
  updateQuota(role: string, quota: RoleQuota): void;
  /**
   * What was offered is used from now on. Offers count against limits and guarantees like what is used, but `consumed` metrics
   * tell used resources only.
   */
  transition(use: { frameworkId: string; agentId: string; resources: Resources }): void;
}

/** Offer operations, by frameworks and by operators. */
export interface AllocatorOperations {
  /** What a framework holds on an agent, and the agent's total, change alike: each step takes `consumed` away and adds `converted`. */
  updateAllocation(change: {
    frameworkId: string;
    agentId: string;
    /** Allocated resources. */
    conversions: readonly Conversion[];
  }): void;
  /** The same for resources that nobody holds. False, and nothing happens, where some of what is consumed is not free. */
  updateAvailable(change: {
    agentId: string;
    /** Unallocated resources. */
    conversions: readonly Conversion[];
  }): boolean;
  /** A resource provider has joined an agent: `total` more, of which frameworks hold `used` (allocated resources). */
  addResourceProvider(provider: {
    agentId: string;
    total: Resources;
    used: ReadonlyMap<string, Resources>;
  }): void;
}

/** Agents that will be down for maintenance. */
export interface AllocatorMaintenance {
  /** Schedules, changes or (undefined) ends the unavailability of an agent. Filters of inverse offers of it are gone then. */
  updateUnavailability(agentId: string, unavailability: Unavailability | undefined): void;
  /** An inverse offer is no longer outstanding: answered (`status`), refused for a time (`filters`), timed out or rescinded. */
  updateInverseOffer(answer: {
    agentId: string;
    frameworkId: string;
    status?: InverseOfferStatus | undefined;
    filters?: Filters | undefined;
  }): void;
  /** agent id -> framework id -> its last answer, for all agents with maintenance scheduled. */
  inverseOfferStatuses(): ReadonlyMap<string, ReadonlyMap<string, InverseOfferStatus>>;
}

/** What operators and the master as a whole decide. */
export interface AllocatorControl {
  /** Only agents with these hostnames are offered; undefined: all. */
  updateWhitelist(hostnames: ReadonlySet<string> | undefined): void;
  /** No offers until `resume`. */
  pause(): void;
  resume(): void;
  /**
   * After a failover: sets the quotas, and where there is any, pauses until enough of the expected agents have been added, or some
   * time has passed. To be called after `start` and before the first agent comes.
   */
  recoverCluster(facts: { expectedAgents: number; quotas: ReadonlyMap<string, RoleQuota> }): void;
}

/** Answers about how it decides. */
export interface AllocatorInsight {
  /** What is wrong with offer constraints, in Mesos's words, or undefined. */
  validateOfferConstraints(constraints: OfferConstraints): string | undefined;
  /** Ids of the agents that a framework's offer constraints exclude in a role. */
  excludedByConstraints(frameworkId: string, role: string): readonly string[];
  /** Why a framework gets no (more) offers, in one role or in all of its roles; undefined for an unknown framework. */
  explain(frameworkId: string, role?: string): FrameworkExplanation | undefined;
}

/**
 * Decides which framework is offered which resources. It owns the accounting of free and allocated resources:
 * what it offered counts as allocated until `recover`. All ids are plain strings. No method throws for unknown ids.
 */
export interface Allocator
  extends AllocatorQuotas,
    AllocatorOperations,
    AllocatorMaintenance,
    AllocatorControl,
    AllocatorInsight {
  start(callbacks: AllocatorCallbacks): void;
  stop(): void;
  addFramework(framework: AllocatorFramework, used: ReadonlyMap<string, Resources>): void;
  /** Roles, capabilities, suppression or constraints changed. */
  updateFramework(framework: AllocatorFramework): void;
  removeFramework(frameworkId: string): void;
  activateFramework(frameworkId: string): void;
  deactivateFramework(frameworkId: string): void;
  addAgent(agent: AllocatorAgent): void;
  /** New total or info; what exceeds the total is simply not offered again. */
  updateAgent(agent: {
    id: string;
    info?: AgentInfo;
    capabilities?: readonly AgentInfo_Capability[];
    total?: Resources;
  }): void;
  removeAgent(agentId: string): void;
  activateAgent(agentId: string): void;
  deactivateAgent(agentId: string): void;
  recover(recovery: ResourceRecovery): void;
  /** Stops offers of the roles; empty: all roles of the framework. */
  suppress(frameworkId: string, roles: readonly string[]): void;
  /** Clears filters and suppression of the roles; empty: all roles of the framework. */
  revive(frameworkId: string, roles: readonly string[]): void;
  /** Positive weights by role; a missing role has weight 1. */
  updateWeights(weights: ReadonlyMap<string, number>): void;
}

export const Allocator = extensionPoint<Allocator, "one">("tepui.allocator", {
  version: "1.0",
  cardinality: "one",
});
