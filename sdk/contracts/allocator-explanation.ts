import type { Quantities } from "../resources/index.js";

/** Why nothing, or not all, of some agents is offered to a framework in a role. */
export type NoOfferCode =
  /** The framework is not connected or was deactivated. */
  | "FRAMEWORK_INACTIVE"
  /** It does not hold the role (any more). */
  | "NOT_SUBSCRIBED"
  /** It asked for no offers in the role. */
  | "SUPPRESSED"
  /** Allocation is paused, as after a failover while agents come back. */
  | "PAUSED"
  /** Agents that are deactivated, disconnected or drained. */
  | "AGENT_INACTIVE"
  /** Agents whose hostname is not in the whitelist. */
  | "NOT_WHITELISTED"
  /** Agents that the framework's own offer constraints exclude. */
  | "OFFER_CONSTRAINTS"
  /** Agents of which everything is offered or in use. */
  | "NOTHING_FREE"
  /** Agents that have something free, but only what is reserved for other roles. */
  | "RESERVED_FOR_OTHERS"
  /** Agents with GPUs are kept for frameworks with the capability GPU_RESOURCES. */
  | "NEEDS_GPU_RESOURCES"
  /** Agents in another region than the master are for frameworks with the capability REGION_AWARE. */
  | "NEEDS_REGION_AWARE"
  /** Agents without the capability MULTI_ROLE are for frameworks without it. */
  | "AGENT_LACKS_MULTI_ROLE"
  /** Agents without the capability HIERARCHICAL_ROLE serve no role with a slash. */
  | "AGENT_LACKS_HIERARCHICAL_ROLE"
  /** What is free there is revocable, shared or has a refined reservation, and the framework lacks the capability. */
  | "NEEDS_RESOURCE_CAPABILITY"
  /** What is free, or what quota leaves of it, is less than the least offer. */
  | "TOO_SMALL"
  /** The role, or the one above it, has reached the limit of its quota. */
  | "QUOTA_LIMIT"
  /** What is free is held for the quota guarantees of other roles. */
  | "QUOTA_HEADROOM"
  /** The framework refused it, for a time that is not over. */
  | "FILTERED"
  /** Nothing stands against it: the next run offers it, or others come first by their share. */
  | "WAITING_FOR_TURN";

export interface NoOfferReason {
  readonly code: NoOfferCode;
  /** One sentence for people. */
  readonly text: string;
  /** How many agents it concerns; 0 where it is no matter of agents. */
  readonly agents: number;
  /** Ids of some of them. */
  readonly examples: readonly string[];
  /** FILTERED: milliseconds until the first and the last of the filters end. */
  readonly filterEndsIn?: { readonly first: number; readonly last: number } | undefined;
  /** QUOTA_LIMIT: what is at its limit; thousandths. */
  readonly limits?: readonly QuotaFigure[] | undefined;
  /** QUOTA_HEADROOM: whose guarantees are not yet consumed; thousandths. */
  readonly heldFor?: readonly QuotaFigure[] | undefined;
}

export interface QuotaFigure {
  readonly role: string;
  readonly resource: string;
  /** Thousandths: reservations, and what is offered or allocated of unreserved, non-revocable resources. */
  readonly consumed: number;
  /** Thousandths: the limit or the guarantee. */
  readonly bound: number;
}

/** Where somebody stands among its siblings. */
export interface FairShare {
  /** The largest share of any resource that it has of the cluster: 0 to 1; undefined where the sorter knows no shares. */
  readonly dominantShare: number | undefined;
  readonly weight: number;
  /** 1 for who is next in turn; undefined for who is not in line. */
  readonly position: number | undefined;
  /** How many are in line. */
  readonly of: number;
}

export interface RoleExplanation {
  readonly role: string;
  /** Among the roles. */
  readonly roleShare: FairShare;
  /** Among the frameworks of the role. */
  readonly frameworkShare: FairShare;
  /** What the framework holds in the role, offered or in use: thousandths. */
  readonly held: Quantities;
  /** Agents of which it could be offered something by the next run. */
  readonly offerableAgents: number;
  /** Agents that have maintenance scheduled: no obstacle, but offers of them carry it. */
  readonly agentsInMaintenance: number;
  /** Reasons, those of most agents first. */
  readonly reasons: readonly NoOfferReason[];
}

export interface FrameworkExplanation {
  readonly frameworkId: string;
  readonly active: boolean;
  /** All agents that the allocator knows. */
  readonly agents: number;
  readonly roles: readonly RoleExplanation[];
}
