import type { NoOfferCode } from "../../sdk/contracts/allocator-explanation.js";

/** What can be done about it; nothing where waiting is all there is to do. */
export const ADVICE: Readonly<Record<NoOfferCode, string>> = {
  FRAMEWORK_INACTIVE: "Let its scheduler subscribe again, with the framework's id.",
  NOT_SUBSCRIBED: "Subscribe with the role, or add it with UPDATE_FRAMEWORK.",
  SUPPRESSED: "Send REVIVE for the role.",
  PAUSED: "Wait: it ends when most agents are back, or after a time.",
  AGENT_INACTIVE:
    "Look at these agents: start them again, or reactivate those that were deactivated or drained.",
  NOT_WHITELISTED: "Add the hosts to the file of --whitelist.",
  OFFER_CONSTRAINTS: "Loosen the offer constraints that the framework subscribed with.",
  NOTHING_FREE:
    "Wait until tasks end or offers are declined (--offer_timeout takes back offers that are held), or add agents.",
  RESERVED_FOR_OTHERS: "Unreserve what those roles do not need, or subscribe with one of them.",
  NEEDS_GPU_RESOURCES:
    "Subscribe with the capability GPU_RESOURCES, or start the master with --filter_gpu_resources=false.",
  NEEDS_REGION_AWARE: "Subscribe with the capability REGION_AWARE.",
  AGENT_LACKS_MULTI_ROLE: "Upgrade these agents.",
  AGENT_LACKS_HIERARCHICAL_ROLE: "Upgrade these agents, or use a role without a slash.",
  NEEDS_RESOURCE_CAPABILITY:
    "Subscribe with the capability for it: REVOCABLE_RESOURCES, SHARED_RESOURCES or RESERVATION_REFINEMENT.",
  TOO_SMALL:
    "Free more on one agent, or ask for less: --min_allocatable_resources of the master, or the framework's own offer_filters.",
  QUOTA_LIMIT: "Raise the limit of the quota, or end tasks of the role.",
  QUOTA_HEADROOM: "Add agents, lower these guarantees, or give this role a guarantee of its own.",
  FILTERED: "Send REVIVE, or decline with a smaller refuse_seconds.",
  WAITING_FOR_TURN: "",
};
