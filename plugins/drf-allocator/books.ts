import type { Conversion } from "../../sdk/contracts/allocator.js";
import { Resources } from "../../sdk/resources/index.js";
import { Headroom } from "./accounts/headroom.js";
import { Holdings } from "./accounts/holdings.js";
import { RoleTree } from "./accounts/role-tree.js";
import type { AgentState } from "./agent-state.js";
import { AllocatorMetrics } from "./allocator-metrics.js";
import { OfferFilters } from "./filters/offer-filters.js";
import type { FrameworkState } from "./framework-state.js";
import type { DrfAllocatorOptions } from "./options.js";
import { type Member, type Role, Roles } from "./roles.js";
import { ClusterTotals } from "./sorter/cluster-totals.js";
import { DrfSorter } from "./sorter/drf-sorter.js";
import { RandomSorter } from "./sorter/random-sorter.js";
import type { Sorter, SorterKind } from "./sorter/sorter.js";

/** All that the allocator knows of the cluster, and the changes that keep every account of it right. */
export class Books {
  readonly agents = new Map<string, AgentState>();
  readonly frameworks = new Map<string, FrameworkState>();
  readonly totals: ClusterTotals;
  readonly tree: RoleTree;
  readonly headroom: Headroom;
  readonly roles: Roles;
  readonly holdings: Holdings;
  readonly filters: OfferFilters;
  readonly metrics: AllocatorMetrics;

  /** @param pendingRuns for the gauge of that name */
  constructor(
    private readonly options: DrfAllocatorOptions,
    pendingRuns: () => number,
  ) {
    const { agents, frameworks } = this;
    this.totals = new ClusterTotals(options.fairSharingExcluded);
    const { names } = this.totals;
    this.metrics = new AllocatorMetrics(options.metrics, {
      names,
      total: (resource) => this.totals.get(resource),
      held: (resource) => this.holdings.total(resource),
      share: (role) => this.roles.find(role)?.seat.share(),
      node: (role) => this.tree.find(role),
      activeFilters: (role) => this.filters.active(role),
      pendingRuns,
    });
    const tree = new RoleTree(names, this.metrics);
    const headroom = new Headroom(names, tree);
    const roles = new Roles({
      names,
      tree,
      sorter: this.makeSorter<Role>(options.roleSorter),
      frameworkSorter: () => this.makeSorter<Member>(options.frameworkSorter),
      observer: this.metrics,
      left: (member) => this.filters.removeMember(member),
    });
    this.tree = tree;
    this.headroom = headroom;
    this.roles = roles;
    this.holdings = new Holdings({ names, roles, tree, headroom, frameworks, agents });
    this.filters = new OfferFilters(options.allocationInterval);
  }

  /** What an agent or a provider brings along is in use. */
  holdUsed(agent: AgentState, frameworkId: string, allocated: Resources): void {
    if (allocated.isEmpty) return;
    this.holdings.hold(agent, frameworkId, allocated);
    this.holdings.use(agent, frameworkId, allocated);
  }

  setTotal(agent: AgentState, total: Resources): void {
    if (total.equals(agent.total)) return;
    this.countTotal(agent.total, -1);
    agent.total = total;
    this.countTotal(total, 1);
  }

  /** An agent's resources come, or (`sign` -1) go. */
  countTotal(total: Resources, sign: 1 | -1): void {
    if (sign > 0) this.totals.add(total.quantities());
    else this.totals.subtract(total.quantities());
    this.tree.reserve(total, sign);
    this.headroom.addTotal(total, sign);
  }

  /** What a framework holds, and the agent has, becomes something else. */
  convertHeld(agent: AgentState, frameworkId: string, conversions: readonly Conversion[]): void {
    for (const { consumed, converted } of conversions) {
      this.holdings.release(agent, frameworkId, { allocated: consumed });
      // Further copies of what is shared are no part of the total.
      if (!consumed.isEmpty) {
        this.setTotal(agent, agent.total.subtract(consumed.unallocate()).add(converted.unallocate()));
      }
      this.holdings.hold(agent, frameworkId, converted);
    }
  }

  /** What nobody holds becomes something else; false, and nothing happens, where somebody holds some of it. */
  convertFree(agent: AgentState, conversions: readonly Conversion[]): boolean {
    let { available, total } = agent;
    // A shared volume is available however many have it, but it can be changed only while nobody has.
    const held = Resources.sum(
      [...agent.holders.values()].map(({ allocated }) => allocated.unallocate().shared()),
    );
    for (const { consumed, converted } of conversions) {
      const shared = consumed.shared().entries;
      if (!available.contains(consumed)) return false;
      if (shared.some((one) => held.entries.some((other) => other.sameAs(one)))) return false;
      available = available.subtract(consumed).add(converted);
      total = total.subtract(consumed).add(converted);
    }
    this.setTotal(agent, total);
    return true;
  }

  /** @param refusal.ms how long; `now`: monotonic milliseconds */
  refuse(
    member: Member,
    agent: AgentState,
    refusal: { allocated: Resources; now: number; ms: number },
  ): void {
    const { allocated, now, ms } = refusal;
    const plain = agent.plainOf(allocated);
    // Refusals are many, so they share the agent's own bundle where it is the same.
    const refused = plain.equals(agent.available) ? agent.available : plain;
    this.filters.add(member, agent, { refused, now, ms });
  }

  forgetRefusals(framework: FrameworkState, role: string): void {
    const member = framework.members.get(role);
    if (member !== undefined) this.filters.removeMember(member);
  }

  forgetRefusalsOf(agent: AgentState): void {
    for (const { members } of this.frameworks.values()) this.filters.removeAgent(members.values(), agent);
  }

  updateWants(framework: FrameworkState): void {
    for (const [role, member] of framework.members) this.roles.setWants(member, framework.wants(role));
  }

  private makeSorter<C>(kind: SorterKind): Sorter<C> {
    return kind === "drf" ? new DrfSorter<C>(this.totals) : new RandomSorter<C>(this.options.random);
  }
}
