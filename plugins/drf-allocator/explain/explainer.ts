import type {
  FairShare,
  FrameworkExplanation,
  NoOfferCode,
  NoOfferReason,
  QuotaFigure,
  RoleExplanation,
} from "../../../sdk/contracts/allocator-explanation.js";
import { addQuantities, type Quantities, Resources } from "../../../sdk/resources/index.js";
import type { AgentState } from "../agent-state.js";
import type { Books } from "../books.js";
import type { FrameworkState } from "../framework-state.js";
import type { Member, Role } from "../roles.js";
import type { Judge, Turn } from "../run/judge.js";
import { roundOf, type Seat, type Sorter } from "../sorter/sorter.js";
import { Tally } from "./tally.js";
import { reasonText } from "./texts.js";

export interface ExplainerOptions {
  readonly books: Books;
  readonly judge: Judge;
  /** Monotonic milliseconds. */
  readonly now: number;
  readonly isPaused: boolean;
  readonly isWhitelisted: (agent: AgentState) => boolean;
  readonly isInMaintenance: (agent: AgentState) => boolean;
}

/** Answers why a framework gets no offers, by asking the judge of every agent what it would say now. */
export class Explainer {
  constructor(private readonly options: ExplainerOptions) {}

  explain(framework: FrameworkState, role: string | undefined): FrameworkExplanation {
    const roles = role === undefined ? [...framework.roles] : [role];
    // Questions must not look like withheld resources to the next run.
    const { withheld } = this.options.judge;
    const explanations = roles.map((one) => this.role(framework, one));
    this.options.judge.withheld = withheld;
    return {
      frameworkId: framework.id,
      active: framework.active,
      agents: this.options.books.agents.size,
      roles: explanations,
    };
  }

  private role(framework: FrameworkState, name: string): RoleExplanation {
    const { books, isInMaintenance } = this.options;
    const { roles, agents } = books;
    const member = framework.members.get(name);
    const role = roles.find(name);
    const tally = new Tally();
    if (member !== undefined) for (const agent of agents.values()) this.look(agent, member, tally);
    let inMaintenance = 0;
    for (const agent of agents.values()) if (isInMaintenance(agent)) inMaintenance++;
    return {
      role: name,
      roleShare: share(roles.sorter, name, { client: role, seat: role?.seat }),
      frameworkShare:
        role === undefined
          ? NO_SHARE
          : share<Member>(role.sorter, framework.id, { client: member, seat: member?.seat }),
      held: this.heldIn(framework, name),
      offerableAgents: tally.agents("WAITING_FOR_TURN"),
      agentsInMaintenance: inMaintenance,
      reasons: [...this.general(framework, name), ...this.ofAgents(tally, role)],
    };
  }

  /** Reasons that hold whatever the agents have. */
  private general(framework: FrameworkState, role: string): NoOfferReason[] {
    const codes: NoOfferCode[] = [];
    if (!framework.active) codes.push("FRAMEWORK_INACTIVE");
    if (!framework.roles.has(role)) codes.push("NOT_SUBSCRIBED");
    if (framework.suppressed.has(role)) codes.push("SUPPRESSED");
    if (this.options.isPaused) codes.push("PAUSED");
    return codes.map((code) => ({ code, text: reasonText(code, 0), agents: 0, examples: [] }));
  }

  private look(agent: AgentState, member: Member, tally: Tally): void {
    const code = this.verdict(agent, member);
    tally.add(code, agent.id);
    const { judge, now } = this.options;
    if (code === "FILTERED" && judge.filter !== undefined) tally.addFilter(judge.filter.expiresAt - now);
  }

  private verdict(agent: AgentState, member: Member): NoOfferCode {
    const { judge, now, isWhitelisted } = this.options;
    if (!agent.active) return "AGENT_INACTIVE";
    if (!isWhitelisted(agent)) return "NOT_WHITELISTED";
    const turn: Turn = { stage: "shares", now, sharedOffered: Resources.empty };
    const owed = judge.offer(agent, member, { ...turn, stage: "guarantees" });
    if (owed !== undefined || judge.offer(agent, member, turn) !== undefined) return "WAITING_FOR_TURN";
    return judge.verdict ?? "NOTHING_FREE";
  }

  private ofAgents(tally: Tally, role: Role | undefined): NoOfferReason[] {
    return tally.reasons().map((reason) => {
      if (reason.code === "FILTERED") return { ...reason, filterEndsIn: tally.filterEndsIn };
      if (reason.code === "QUOTA_LIMIT" && role !== undefined)
        return { ...reason, limits: this.limits(role) };
      if (reason.code === "QUOTA_HEADROOM") return { ...reason, heldFor: this.missingGuarantees() };
      return reason;
    });
  }

  private limits(role: Role): QuotaFigure[] {
    const owner = this.options.books.tree.quotaOwner(role.node);
    const figures: QuotaFigure[] = [];
    owner?.quota?.limits.forEach((bound, number) => {
      const resource = this.options.books.totals.names.names[number];
      if (bound === undefined || resource === undefined) return;
      figures.push({ role: owner.path, resource, consumed: owner.consumed(number), bound });
    });
    return figures;
  }

  private missingGuarantees(): QuotaFigure[] {
    const figures: QuotaFigure[] = [];
    for (const { owner, quota } of this.options.books.tree.quotas()) {
      quota.guarantees.forEach((bound, number) => {
        const resource = this.options.books.totals.names.names[number];
        const consumed = owner.consumed(number);
        if (resource !== undefined && consumed < bound)
          figures.push({ role: owner.path, resource, consumed, bound });
      });
    }
    return figures;
  }

  private heldIn(framework: FrameworkState, role: string): Quantities {
    let held: Quantities = new Map();
    for (const agent of this.options.books.holdings.agentsOf(framework.id)) {
      const own = agent.heldBy(framework.id).filter(({ kind }) => kind.allocationRole === role);
      held = addQuantities(held, own.quantities());
    }
    return held;
  }
}

const NO_SHARE: FairShare = { dominantShare: undefined, weight: 1, position: undefined, of: 0 };

function share<C>(
  sorter: Sorter<C>,
  path: string,
  { client, seat }: { client: C | undefined; seat: Seat | undefined },
): FairShare {
  const line = roundOf(sorter);
  const place = client === undefined ? -1 : line.indexOf(client);
  return {
    dominantShare: seat?.share(),
    weight: sorter.weight(path),
    position: place < 0 ? undefined : place + 1,
    of: line.length,
  };
}
