import type {
  AgentInfo,
  AgentInfo_Capability,
  Filters,
  FrameworkInfo,
} from "../../proto/gen/mesos/v1/mesos.js";
import type { OfferConstraints } from "../../proto/gen/mesos/v1/scheduler/scheduler.js";
import { extensionPoint } from "../plugin/extension-point.js";
import type { Resources } from "../resources/index.js";

/** What one framework is offered in one role: agent id -> allocated resources (with `allocation_info.role`). */
export type OfferedByAgent = ReadonlyMap<string, Resources>;

export interface AllocatorCallbacks {
  /** New offers for one framework and role. Called outside of any Allocator method's caller stack is not promised: may be synchronous. */
  offer(offer: { frameworkId: string; role: string; agents: OfferedByAgent }): void;
}

export interface AllocatorFramework {
  readonly id: string;
  readonly info: FrameworkInfo;
  /** Inactive frameworks keep their allocation and get no offers. */
  readonly active: boolean;
  readonly suppressedRoles: readonly string[];
  readonly offerConstraints: OfferConstraints | undefined;
}

export interface AllocatorAgent {
  readonly id: string;
  readonly info: AgentInfo;
  readonly capabilities: readonly AgentInfo_Capability[];
  readonly total: Resources;
  /** Framework id -> what it already holds there (allocated resources). */
  readonly used: ReadonlyMap<string, Resources>;
}

export interface ResourceRecovery {
  readonly frameworkId: string;
  readonly agentId: string;
  /** Allocated resources that are free again. */
  readonly resources: Resources;
  /** Refusal filter to set; absent: none (a task ended, an offer was rescinded). */
  readonly filters?: Filters | undefined;
}

/**
 * Decides which framework is offered which resources. It owns the accounting of free and allocated resources:
 * what it offered counts as allocated until `recover`. All ids are plain strings. No method throws for unknown ids.
 */
export interface Allocator {
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
