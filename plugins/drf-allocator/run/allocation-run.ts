import type { AllocatorCallbacks } from "../../../sdk/contracts/allocator.js";
import type { Random } from "../../../sdk/contracts/random.js";
import { Resources } from "../../../sdk/resources/index.js";
import type { Holdings } from "../accounts/holdings.js";
import type { ScalarNames } from "../accounts/measure.js";
import type { RoleTree } from "../accounts/role-tree.js";
import type { AgentState } from "../agent-state.js";
import type { Member, Role, Roles } from "../roles.js";
import type { Visits } from "./candidates.js";
import type { Judge, Stage } from "./judge.js";

export type Offer = Parameters<AllocatorCallbacks["offer"]>[0];

interface MutableOffer extends Offer {
  readonly agents: Map<string, Resources>;
}

export interface AllocationRunOptions {
  readonly names: ScalarNames;
  readonly roles: Roles;
  readonly tree: RoleTree;
  readonly judge: Judge;
  readonly random: Random;
  /** Where what is offered is booked at once, so that the rest of the run counts with it. */
  readonly holdings: Holdings;
  readonly isEligible: (agent: AgentState) => boolean;
}

/**
 * One allocation: agents in random order offer what they have free to the role and framework whose turn it is, what is left to the
 * next, and so on. First what quota guarantees owe, on all agents, then the rest by fair shares.
 *
 * It goes in slices, between which anything may change: nothing is kept from one agent to the next but the list of agents that are
 * still to be visited, and each visit takes things as they are then.
 */
export class AllocationRun {
  private stage: Stage = "guarantees";
  /** Whether a member can be offered something of an agent in both stages. */
  private readonly mayMeetAgain: boolean;
  private next = 0;
  private offers = new Map<Member, MutableOffer>();
  /** Shared resources are offered once in a run, to one. */
  private readonly sharedOffered = new Map<AgentState, Resources>();

  constructor(
    private readonly options: AllocationRunOptions,
    private readonly candidates: Visits,
  ) {
    this.mayMeetAgain = options.tree.hasGuarantees;
    if (!this.mayMeetAgain) this.stage = "shares";
    this.shuffle();
  }

  /** Visits agents until `isOver` says that it is enough for now. True when all is done. */
  slice(now: number, isOver: () => boolean): boolean {
    const { agents, only } = this.candidates;
    for (;;) {
      while (this.next < agents.length) {
        const agent = agents[this.next++]!;
        if (agent.gone || agent.isExhausted || !this.options.isEligible(agent)) continue;
        const member = only.size === 0 ? undefined : only.get(agent);
        if (member === undefined) this.visit(agent, now);
        else if (member.wants) this.visitFor(member, agent, now);
        if (isOver()) return false;
      }
      if (this.stage === "shares") return true;
      this.stage = "shares";
      this.next = 0;
      this.shuffle();
    }
  }

  /** What was offered since the last call. */
  takeOffers(): Iterable<Offer> {
    const { offers } = this;
    this.offers = new Map();
    return offers.values();
  }

  /** Agents whose shared resources were offered; others may have them in the next run. */
  get again(): Iterable<AgentState> {
    return this.sharedOffered.keys();
  }

  private visit(agent: AgentState, now: number): void {
    const { sorter } = this.options.roles;
    sorter.rewind();
    for (let role = sorter.next(); role !== undefined; role = sorter.next()) {
      if (agent.isExhausted) return;
      if (this.stage === "guarantees" && !this.isOwed(role)) continue;
      role.sorter.rewind();
      for (let member = role.sorter.next(); member !== undefined; member = role.sorter.next()) {
        this.turn(agent, member, now);
        if (agent.isExhausted) return;
        if (this.stage === "guarantees" && !this.isOwed(role)) break;
        if (this.options.judge.verdict === "RESERVED_FOR_OTHERS") break;
      }
    }
  }

  private visitFor(member: Member, agent: AgentState, now: number): void {
    if (this.stage === "shares" || this.isOwed(member.role)) this.turn(agent, member, now);
  }

  /** Whether the role, or the one above it whose quota it is under, still misses some of its guarantee. */
  private isOwed({ node }: Role): boolean {
    const missing = this.options.tree.quotaOwner(node)?.quota?.missing;
    if (missing !== undefined) for (const milli of missing) if (milli > 0) return true;
    return false;
  }

  private turn(agent: AgentState, member: Member, now: number): void {
    const { stage } = this;
    const sharedOffered = (agent.isPlain ? undefined : this.sharedOffered.get(agent)) ?? Resources.empty;
    const plain = this.options.judge.offer(agent, member, { stage, now, sharedOffered });
    if (plain === undefined) return;
    const bundle = agent.bundle(plain, member.role, this.options.names);
    this.options.holdings.offer(agent, member, bundle);
    this.book(member, agent, bundle.allocated);
    if (agent.isPlain) return;
    const shared = plain.shared();
    if (!shared.isEmpty) this.sharedOffered.set(agent, sharedOffered.add(shared));
  }

  private book(member: Member, agent: AgentState, allocated: Resources): void {
    let offer = this.offers.get(member);
    if (offer === undefined) {
      offer = { frameworkId: member.framework.id, role: member.role.name, agents: new Map() };
      this.offers.set(member, offer);
    }
    const before = this.mayMeetAgain || !agent.isPlain ? offer.agents.get(agent.id) : undefined;
    offer.agents.set(agent.id, before === undefined ? allocated : before.add(allocated));
  }

  /** Fisher and Yates, in place. */
  private shuffle(): void {
    const { agents } = this.candidates;
    for (let last = agents.length - 1; last > 0; last--) {
      const other = Math.floor(this.options.random.next() * (last + 1));
      const held = agents[last]!;
      agents[last] = agents[other]!;
      agents[other] = held;
    }
  }
}
