import type {
  FairShare,
  FrameworkExplanation,
  NoOfferReason,
  QuotaFigure,
  RoleExplanation,
} from "../../sdk/contracts/allocator-explanation.js";
import type { FrameworkRecord } from "../../sdk/contracts/master-view.js";
import { fromMilli, quantitiesToRecord } from "../../sdk/resources/index.js";
import { ADVICE } from "./advice.js";

/** The answer: amounts in units, times in seconds, names as in Mesos's documents. */
export function explanationJson(framework: FrameworkRecord, explanation: FrameworkExplanation): string {
  return JSON.stringify({
    framework: {
      id: framework.id,
      name: framework.info.name ?? "",
      active: framework.active,
      connected: framework.connected,
    },
    agents: explanation.agents,
    roles: explanation.roles.map(roleJson),
  });
}

function roleJson(role: RoleExplanation): object {
  return {
    role: role.role,
    role_share: shareJson(role.roleShare),
    framework_share: shareJson(role.frameworkShare),
    held: quantitiesToRecord(role.held),
    offerable_agents: role.offerableAgents,
    agents_in_maintenance: role.agentsInMaintenance,
    reasons: role.reasons.map(reasonJson),
  };
}

function shareJson({ dominantShare, weight, position, of }: FairShare): object {
  return { dominant_share: dominantShare, weight, position, of };
}

function reasonJson({ code, text, agents, examples, ...more }: NoOfferReason): object {
  const { filterEndsIn: ends, limits, heldFor } = more;
  return {
    code,
    text,
    advice: ADVICE[code],
    agents,
    examples,
    filter_ends_in: ends && { first: ends.first / 1000, last: ends.last / 1000 },
    limits: limits?.map(figureJson),
    held_for: heldFor?.map(figureJson),
  };
}

function figureJson({ role, resource, consumed, bound }: QuotaFigure): object {
  return { role, resource, consumed: fromMilli(consumed), bound: fromMilli(bound) };
}
