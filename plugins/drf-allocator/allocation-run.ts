import type { AllocatorCallbacks } from "../../sdk/contracts/allocator.js";
import type { Random } from "../../sdk/contracts/random.js";
import { type Quantities, Resources } from "../../sdk/resources/index.js";
import type { AgentState } from "./agent-state.js";
import type { CapabilityGates } from "./capability-gates.js";
import type { FrameworkState } from "./framework-state.js";
import type { Holdings } from "./holdings.js";
import type { OfferFilters } from "./offer-filters.js";
import type { RoleLedger } from "./role-ledger.js";

export interface AllocationRunOptions {
  readonly ledger: RoleLedger;
  readonly frameworks: ReadonlyMap<string, FrameworkState>;
  readonly filters: OfferFilters;
  readonly gates: CapabilityGates;
  /** Alternatives; an offer has to have the quantities of one of them. None: anything will do. */
  readonly minAllocatable: readonly Quantities[];
  readonly random: Random;
  /** Monotonic milliseconds. */
  readonly now: number;
  /** Where what is offered is booked, so that the rest of the run counts with it. */
  readonly holdings: Holdings;
}

export type Offer = Parameters<AllocatorCallbacks["offer"]>[0];

interface MutableOffer extends Offer {
  readonly agents: Map<string, Resources>;
}

export interface RunOutcome {
  readonly offers: readonly Offer[];
  /** Agents whose shared resources were offered; others may have them in the next run. */
  readonly again: readonly AgentState[];
}

/**
 * One allocation: every agent in random order offers all that a framework can take to the role and framework whose turn it is,
 * what is left to the next, and so on.
 */
export class AllocationRun {
  private readonly offers = new Map<string, MutableOffer>();
  private readonly again: AgentState[] = [];
  private last: MutableOffer | undefined;

  constructor(private readonly options: AllocationRunOptions) {}

  over(agents: Iterable<AgentState>): RunOutcome {
    const visited: AgentState[] = [];
    for (const agent of new Set(agents)) if (agent.active && !agent.available.isEmpty) visited.push(agent);
    for (const agent of shuffle(visited, this.options.random)) this.visit(agent);
    return { offers: [...this.offers.values()], again: this.again };
  }

  private visit(agent: AgentState): void {
    let sharedOffered = Resources.empty;
    for (const role of this.options.ledger.order()) {
      if (agent.available.isEmpty) break;
      for (const frameworkId of this.options.ledger.orderWithin(role)) {
        const free = agent.available.allocatableTo(role).subtract(sharedOffered);
        if (free.isEmpty) break;
        const offered = this.offer({ agent, role, frameworkId, free });
        if (offered !== undefined) sharedOffered = sharedOffered.add(offered.shared());
      }
    }
    if (!sharedOffered.isEmpty) this.again.push(agent);
  }

  /** Offers what the framework can take of the free resources; returns that, unallocated, or undefined for nothing. */
  private offer(turn: {
    agent: AgentState;
    role: string;
    frameworkId: string;
    free: Resources;
  }): Resources | undefined {
    const { agent, role, frameworkId, free } = turn;
    const { frameworks, filters, gates, holdings, now } = this.options;
    const framework = frameworks.get(frameworkId);
    if (framework === undefined || framework.constraints.excludes(role, agent.info)) return undefined;
    if (!gates.admits(framework, role, agent)) return undefined;
    const offer = gates.understood(framework, free);
    if (!this.isEnough(framework, role, offer)) return undefined;
    if (filters.holdsBack({ frameworkId, role, agentId: agent.id }, offer, now)) return undefined;
    const allocated = offer.allocate(role);
    holdings.hold(agent, frameworkId, allocated, offer);
    this.book(frameworkId, role).agents.set(agent.id, allocated);
    return offer;
  }

  private isEnough(framework: FrameworkState, role: string, offer: Resources): boolean {
    if (offer.isEmpty) return false;
    const alternatives = framework.minAllocatable.get(role) ?? this.options.minAllocatable;
    return alternatives.length === 0 || alternatives.some((least) => offer.containsQuantities(least));
  }

  private book(frameworkId: string, role: string): MutableOffer {
    const { last } = this;
    if (last?.frameworkId === frameworkId && last.role === role) return last;
    const key = `${frameworkId} ${role}`;
    let offer = this.offers.get(key);
    if (offer === undefined) {
      offer = { frameworkId, role, agents: new Map() };
      this.offers.set(key, offer);
    }
    this.last = offer;
    return offer;
  }
}

/** Fisher and Yates, in place. */
function shuffle<T>(items: T[], random: Random): T[] {
  for (let last = items.length - 1; last > 0; last--) {
    const other = Math.floor(random.next() * (last + 1));
    const held = items[last]!;
    items[last] = items[other]!;
    items[other] = held;
  }
  return items;
}
