import type { NoOfferCode } from "../../../sdk/contracts/allocator-explanation.js";
import { type Quantities, Resources } from "../../../sdk/resources/index.js";
import type { Headroom } from "../accounts/headroom.js";
import type { ScalarNames } from "../accounts/measure.js";
import type { RoleNode, RoleTree } from "../accounts/role-tree.js";
import type { AgentState } from "../agent-state.js";
import type { Filter, OfferFilters } from "../filters/offer-filters.js";
import type { Member } from "../roles.js";
import type { CapabilityGates } from "./capability-gates.js";
import { chop, countsForQuota } from "./chop.js";

export interface JudgeOptions {
  readonly names: ScalarNames;
  readonly tree: RoleTree;
  readonly headroom: Headroom;
  readonly filters: OfferFilters;
  readonly gates: CapabilityGates;
  /** Alternatives; an offer has to have the quantities of one of them. None: anything will do. */
  readonly minAllocatable: readonly Quantities[];
}

/** Guarantees: only what brings a role closer to its guarantee. Shares: everything that is left. */
export type Stage = "guarantees" | "shares";

export interface Turn {
  readonly stage: Stage;
  readonly now: number;
  /** Shared resources of the agent that were offered in this run already. */
  readonly sharedOffered: Resources;
}

/**
 * Decides what of an agent one member is offered when it is its turn, and why it is nothing. It changes nothing but the `verdict`, so
 * that the same rules answer questions.
 */
export class Judge {
  /** Why the last offer was nothing; undefined when there was one. */
  verdict: NoOfferCode | undefined;
  /** The filter that held the last one back. */
  filter: Filter | undefined;
  /** Quota has withheld something, so that a change of quota or consumption may make room. Whoever reads it resets it. */
  withheld = false;

  /** The least offer that holds where the framework names none, by numbers. */
  private readonly least: readonly (readonly { readonly number: number; readonly milli: number }[])[];

  constructor(private readonly options: JudgeOptions) {
    this.least = options.minAllocatable.map((alternative) =>
      Array.from(alternative, ([name, milli]) => ({ number: options.names.numberOf(name), milli })),
    );
  }

  /** Unallocated resources; undefined for nothing. */
  offer(agent: AgentState, member: Member, turn: Turn): Resources | undefined {
    this.filter = undefined;
    this.verdict = undefined;
    const { framework, role } = member;
    const free = agent.isPlain
      ? agent.available
      : agent.available.allocatableTo(role.name).subtract(turn.sharedOffered);
    if (free === Resources.empty)
      return this.refuse(agent.available.isEmpty ? "NOTHING_FREE" : "RESERVED_FOR_OTHERS");
    if (framework.constraints?.excludes(role.name, agent.info)) return this.refuse("OFFER_CONSTRAINTS");
    const obstacle = this.options.gates.obstacle(framework, role.name, agent);
    if (obstacle !== undefined) return this.refuse(obstacle);
    if (turn.stage === "shares" && agent.isPlain && this.isExhausted(member)) return undefined;
    const understood = agent.isPlain ? free : this.options.gates.understood(framework, free);
    if (!this.isEnough(agent, member, understood)) {
      return this.refuse(
        understood !== free && this.isEnough(agent, member, free) ? "NEEDS_RESOURCE_CAPABILITY" : "TOO_SMALL",
      );
    }
    const offer = this.withinQuota(member, understood, turn.stage);
    if (offer !== understood && !this.isEnough(agent, member, offer)) {
      this.verdict ??= "TOO_SMALL";
      return undefined;
    }
    this.filter = this.options.filters.blocking(member, agent, { offer, now: turn.now });
    if (this.filter !== undefined) return this.refuse("FILTERED");
    this.verdict = undefined;
    return offer;
  }

  /**
   * Whether limits and headroom leave no room for the least offer of anything unreserved. A short cut: where many roles are at their
   * limits, this is all that is looked at.
   */
  private isExhausted({ framework, role }: Member): boolean {
    const { tree, headroom } = this.options;
    if (!tree.hasQuotas || this.least.length === 0 || framework.minAllocatable.has(role.name)) return false;
    const owner = tree.quotaOwner(role.node);
    const limits = owner?.quota?.limits;
    let why: NoOfferCode = "QUOTA_HEADROOM";
    for (const alternative of this.least) {
      let fits = true;
      for (const { number, milli } of alternative) {
        const limit = limits?.[number];
        if (limit !== undefined && limit - owner!.consumed(number) < milli) {
          why = "QUOTA_LIMIT";
          fits = false;
        } else if (headroom.surplus(number) < milli) fits = false;
      }
      if (fits) return false;
    }
    this.withhold(why);
    return true;
  }

  private refuse(verdict: NoOfferCode): undefined {
    this.verdict = verdict;
    return undefined;
  }

  private withinQuota(member: Member, free: Resources, stage: Stage): Resources {
    const { node } = member.role;
    if (!this.options.tree.hasQuotas) return free;
    const owner = this.options.tree.quotaOwner(node);
    if (stage === "guarantees")
      return owner === undefined ? Resources.empty : this.towardsGuarantee(free, owner);
    const counting = free.filter(countsForQuota);
    const limited = this.withinLimits(counting, owner, undefined);
    const granted = this.withinHeadroom(limited);
    if (granted === counting) return free;
    const others = free.filter((entry) => !countsForQuota(entry));
    return others.add(granted);
  }

  /**
   * What the guarantee still misses, in any case; and only if there is some of that, also the rest: what is reserved for the role,
   * revocable or no scalar, and of the other scalars what limits and headroom allow.
   */
  private towardsGuarantee(free: Resources, owner: RoleNode): Resources {
    const counting = free.filter(countsForQuota);
    const missing = owner.quota?.missing ?? [];
    const owed = chop(counting, this.options.names, (number) => missing[number] ?? 0);
    if (owed.isEmpty) return Resources.empty;
    const rest = counting.subtract(owed);
    const burst = this.withinHeadroom(this.withinLimits(rest, owner, owed));
    if (burst === rest && counting === free) return free;
    const others = free.filter((entry) => !countsForQuota(entry));
    return others.add(owed).add(burst);
  }

  private withinLimits(
    wanted: Resources,
    owner: RoleNode | undefined,
    granted: Resources | undefined,
  ): Resources {
    if (owner?.quota?.limited !== true || wanted.isEmpty) return wanted;
    const { limits } = owner.quota;
    const { names } = this.options;
    const rest = chop(wanted, names, (number) => {
      const limit = limits[number];
      if (limit === undefined) return Number.POSITIVE_INFINITY;
      return Math.max(0, limit - owner.consumed(number) - (granted?.milli(names.names[number]!) ?? 0));
    });
    if (rest !== wanted) this.withhold("QUOTA_LIMIT");
    return rest;
  }

  private withinHeadroom(wanted: Resources): Resources {
    if (!this.options.tree.hasGuarantees || wanted.isEmpty) return wanted;
    const rest = chop(wanted, this.options.names, (number) => this.options.headroom.surplus(number));
    if (rest !== wanted) this.withhold("QUOTA_HEADROOM");
    return rest;
  }

  private withhold(why: NoOfferCode): void {
    this.withheld = true;
    this.verdict ??= why;
  }

  private isEnough(agent: AgentState, { framework, role }: Member, offer: Resources): boolean {
    const { minAllocatable } = framework;
    const own = minAllocatable.size === 0 ? undefined : minAllocatable.get(role.name);
    if (own !== undefined) return hasLeast(own, offer);
    if (agent.enough === offer) return true;
    const enough = hasLeast(this.options.minAllocatable, offer);
    if (enough) agent.enough = offer;
    return enough;
  }
}

/** Whether there is as much as one of the alternatives asks for; without any, anything is enough. */
function hasLeast(alternatives: readonly Quantities[], offer: Resources): boolean {
  if (offer.isEmpty) return false;
  if (alternatives.length === 0) return true;
  for (const least of alternatives) if (offer.containsQuantities(least)) return true;
  return false;
}
