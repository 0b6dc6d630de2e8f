import type { NoOfferCode } from "../../../sdk/contracts/allocator-explanation.js";

const TEXTS: Readonly<Record<NoOfferCode, string>> = {
  FRAMEWORK_INACTIVE: "The framework is not active: it is disconnected or was deactivated",
  NOT_SUBSCRIBED: "The framework is not subscribed to the role",
  SUPPRESSED: "The framework has suppressed offers in the role; REVIVE ends that",
  PAUSED:
    "Nothing is offered at the moment: the allocator is paused, as after a failover while agents come back",
  AGENT_INACTIVE: "# deactivated, disconnected or draining",
  NOT_WHITELISTED: "# not in the whitelist",
  OFFER_CONSTRAINTS: "# excluded by the framework's offer constraints",
  NOTHING_FREE: "# offered to somebody or in use, all of it",
  RESERVED_FOR_OTHERS: "# free only in what is reserved for other roles",
  NEEDS_GPU_RESOURCES: "# kept for frameworks with the capability GPU_RESOURCES",
  NEEDS_REGION_AWARE: "# in another region, for frameworks with the capability REGION_AWARE",
  AGENT_LACKS_MULTI_ROLE: "# too old for frameworks with the capability MULTI_ROLE",
  AGENT_LACKS_HIERARCHICAL_ROLE: "# too old for roles with a slash",
  NEEDS_RESOURCE_CAPABILITY:
    "# free only in what is revocable, shared or has a refined reservation, and the framework lacks the capability for it",
  TOO_SMALL: "# free in less than the least offer",
  QUOTA_LIMIT: "# free, but the role has reached the limit of its quota",
  QUOTA_HEADROOM: "# free, but held for the quota guarantees of other roles",
  FILTERED: "# refused by the framework for a time that is not over",
  WAITING_FOR_TURN: "# free and suitable: to be offered by the next run, or to others whose share is less",
};

/** One sentence for people. */
export function reasonText(code: NoOfferCode, agents: number): string {
  return TEXTS[code].replace("#", agents === 1 ? "1 agent is" : `${agents} agents are`);
}
