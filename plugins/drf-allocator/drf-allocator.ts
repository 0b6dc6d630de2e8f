import type { InverseOfferStatus } from "../../proto/gen/mesos/v1/allocator/allocator.js";
import type {
  AgentInfo,
  AgentInfo_Capability,
  DomainInfo,
  Filters,
  Unavailability,
} from "../../proto/gen/mesos/v1/mesos.js";
import type { OfferConstraints } from "../../proto/gen/mesos/v1/scheduler/scheduler.js";
import { sameAttributes } from "../../sdk/attributes/index.js";
import type {
  Allocator,
  AllocatorAgent,
  AllocatorCallbacks,
  AllocatorFramework,
  Conversion,
  ResourceRecovery,
  RoleQuota,
} from "../../sdk/contracts/allocator.js";
import type { FrameworkExplanation } from "../../sdk/contracts/allocator-explanation.js";
import type { Clock } from "../../sdk/contracts/clock.js";
import type { Metrics } from "../../sdk/contracts/metrics.js";
import type { Random } from "../../sdk/contracts/random.js";
import { type Quantities, Resources } from "../../sdk/resources/index.js";
import { forEachRole } from "./accounts/for-each-role.js";
import { Headroom } from "./accounts/headroom.js";
import { Holdings } from "./accounts/holdings.js";
import { RoleTree } from "./accounts/role-tree.js";
import { AgentState } from "./agent-state.js";
import { AllocatorMetrics } from "./allocator-metrics.js";
import { ConstraintsReader } from "./constraints/offer-constraints.js";
import type { PatternLimits } from "./constraints/pattern.js";
import { Explainer } from "./explain/explainer.js";
import { OfferFilters } from "./filters/offer-filters.js";
import { refusalMs } from "./filters/refusal.js";
import { FrameworkState } from "./framework-state.js";
import { Maintenance } from "./maintenance.js";
import { type Member, type Role, Roles } from "./roles.js";
import { AllocationRun } from "./run/allocation-run.js";
import { Candidates } from "./run/candidates.js";
import { CapabilityGates } from "./run/capability-gates.js";
import { HoldOff } from "./run/hold-off.js";
import { Judge } from "./run/judge.js";
import { RunSchedule } from "./run/run-schedule.js";
import { Runner } from "./run/runner.js";
import { ClusterTotals } from "./sorter/cluster-totals.js";
import { DrfSorter } from "./sorter/drf-sorter.js";
import { RandomSorter } from "./sorter/random-sorter.js";
import type { Sorter, SorterKind } from "./sorter/sorter.js";

export interface DrfAllocatorOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly metrics: Metrics;
  /** Milliseconds between the runs of the batch. */
  readonly allocationInterval: number;
  /** Milliseconds that a run works before it lets others have the event loop. */
  readonly sliceMs: number;
  readonly roleSorter: SorterKind;
  readonly frameworkSorter: SorterKind;
  /** Alternatives; none: anything is worth an offer. */
  readonly minAllocatable: readonly Quantities[];
  readonly fairSharingExcluded: ReadonlySet<string>;
  readonly filterGpuResources: boolean;
  /** The master's. */
  readonly domain: DomainInfo | undefined;
  readonly patternLimits: PatternLimits;
  /** The part of the expected agents that has to come back after a failover before anything is offered. */
  readonly agentRecoveryFactor: number;
  /** Milliseconds after which offers are made however many agents are missing. */
  readonly recoveryTimeout: number;
}

/** How many filters end between two looks at the clock. */
const EXPIRE_AT_ONCE = 256;

/**
 * The hierarchical allocator: roles take turns by dominant resource fairness, frameworks within a role likewise, and each turn is
 * the offer of all that an agent has free and quota leaves.
 *
 * This class turns what the master tells into changes of the books (`accounts/`) and notes what has to be looked at (`Candidates`);
 * a run (`run/`) then visits just that.
 */
export class DrfAllocator implements Allocator {
  private readonly agents = new Map<string, AgentState>();
  private readonly frameworks = new Map<string, FrameworkState>();
  /** For the next run, which is soon. */
  private readonly urgent = new Candidates(this.agents);
  /** For the next run of the batch: what was declined must not be offered again at once. */
  private readonly patient = new Candidates(this.agents);
  private callbacks: AllocatorCallbacks | undefined;
  private whitelist: ReadonlySet<string> | undefined;
  private relaxationsSeen = 0;

  private readonly totals: ClusterTotals;
  private readonly tree: RoleTree;
  private readonly headroom: Headroom;
  private readonly roles: Roles;
  private readonly holdings: Holdings;
  private readonly filters: OfferFilters;
  private readonly judge: Judge;
  private readonly maintenance = new Maintenance();
  private readonly constraints: ConstraintsReader;
  private readonly metrics: AllocatorMetrics;
  private readonly schedule: RunSchedule;
  private readonly runner: Runner;
  private readonly holdOff: HoldOff;

  constructor(private readonly options: DrfAllocatorOptions) {
    const { clock, allocationInterval } = options;
    this.totals = new ClusterTotals(options.fairSharingExcluded);
    const { names } = this.totals;
    this.metrics = new AllocatorMetrics(options.metrics, {
      names,
      total: (resource) => this.totals.get(resource),
      held: (resource) => this.holdings.total(resource),
      share: (role) => this.roles.find(role)?.seat.share(),
      node: (role) => this.tree.find(role),
      activeFilters: (role) => this.filters.active(role),
      pendingRuns: () => Number(this.schedule.isPending),
    });
    this.tree = new RoleTree(names, this.metrics);
    this.headroom = new Headroom(names, this.tree);
    const { tree, headroom, frameworks } = this;
    this.roles = new Roles({
      names,
      tree,
      sorter: this.makeSorter<Role>(options.roleSorter),
      frameworkSorter: () => this.makeSorter<Member>(options.frameworkSorter),
      observer: this.metrics,
      left: (member) => this.filters.removeMember(member),
    });
    this.holdings = new Holdings({
      names,
      roles: this.roles,
      tree,
      headroom,
      frameworks,
      agents: this.agents,
    });
    this.filters = new OfferFilters(allocationInterval);
    this.judge = new Judge({
      names,
      tree,
      headroom,
      filters: this.filters,
      gates: new CapabilityGates(options),
      minAllocatable: options.minAllocatable,
    });
    this.constraints = new ConstraintsReader(options.patternLimits);
    this.holdOff = new HoldOff(options, () => this.patient.addAll());
    this.runner = new Runner({
      clock,
      sliceMs: options.sliceMs,
      expire: (isOver) => this.expireFilters(isOver),
      makeRun: (batch) => this.makeRun(batch),
      offer: (offer) => this.callbacks?.offer(offer),
      finished: (run) => this.finished(run),
      took: this.metrics.run,
    });
    this.schedule = new RunSchedule({
      clock,
      interval: allocationInterval,
      batch: () => this.runner.begin(true),
      run: () => this.runner.begin(false),
      waited: this.metrics.latency,
    });
  }

  start(callbacks: AllocatorCallbacks): void {
    this.callbacks = callbacks;
    this.schedule.start();
  }

  stop(): void {
    this.schedule.stop();
    this.runner.stop();
    this.holdOff.stop();
    this.maintenance.clear();
    for (const { owner } of [...this.tree.quotas()]) this.updateQuota(owner.path, NO_QUOTA);
    this.callbacks = undefined;
  }

  addFramework(framework: AllocatorFramework, used: ReadonlyMap<string, Resources>): void {
    if (this.frameworks.has(framework.id)) {
      this.updateFramework(framework);
      return;
    }
    const state = new FrameworkState(framework, this.constraints.read(framework.offerConstraints));
    this.frameworks.set(state.id, state);
    for (const role of state.roles) this.roles.subscribe(state, role);
    this.updateWants(state);
    this.holdings.count(state);
    for (const [agentId, resources] of used) {
      const agent = this.agents.get(agentId);
      if (agent === undefined) continue;
      // Usually nothing: the agent has told, when it came.
      this.holdUsed(agent, state.id, resources.subtract(agent.heldBy(state.id)));
    }
    if (state.active) this.reconsiderFramework(state);
  }

  updateFramework(framework: AllocatorFramework): void {
    const state = this.frameworks.get(framework.id);
    if (state === undefined) return;
    const before = { roles: state.roles, suppressed: new Set(state.suppressed) };
    state.update(framework, this.constraints.read(framework.offerConstraints));
    for (const role of before.roles) {
      if (state.roles.has(role)) continue;
      this.removeFilters(state, role);
      this.roles.unsubscribe(state, role);
    }
    for (const role of state.roles) {
      if (!before.roles.has(role)) this.roles.subscribe(state, role);
      // Lifting a suppression is a revival, which clears filters.
      if (before.suppressed.has(role) && !state.suppressed.has(role)) this.removeFilters(state, role);
    }
    this.updateWants(state);
    // No run of its own, as in Mesos: a framework that updates itself in a loop must not drive the allocator.
    for (const member of state.members.values()) this.patient.addMember(member);
    if (framework.active && !state.active) this.activateFramework(state.id);
    if (!framework.active && state.active) this.deactivateFramework(state.id);
  }

  removeFramework(frameworkId: string): void {
    for (const agent of this.holdings.releaseFramework(frameworkId)) this.urgent.addAgent(agent);
    this.schedule.gather();
    const state = this.frameworks.get(frameworkId);
    if (state === undefined) return;
    for (const role of state.roles) this.roles.unsubscribe(state, role);
    this.maintenance.removeFramework(frameworkId);
    this.frameworks.delete(frameworkId);
  }

  activateFramework(frameworkId: string): void {
    const state = this.frameworks.get(frameworkId);
    if (state === undefined) return;
    state.active = true;
    this.updateWants(state);
    this.reconsiderFramework(state);
  }

  deactivateFramework(frameworkId: string): void {
    const state = this.frameworks.get(frameworkId);
    if (state === undefined) return;
    state.active = false;
    this.updateWants(state);
    for (const member of state.members.values()) this.filters.removeMember(member);
    this.maintenance.forgetRefusals(frameworkId);
  }

  addAgent(added: AllocatorAgent): void {
    if (this.agents.has(added.id)) this.removeAgent(added.id);
    const agent = new AgentState(added);
    this.agents.set(agent.id, agent);
    this.countTotal(agent.total, 1);
    for (const [frameworkId, resources] of added.used) this.holdUsed(agent, frameworkId, resources);
    this.maintenance.schedule(agent, added.unavailability);
    this.holdOff.agentAdded(this.agents.size);
    this.reconsider(agent);
  }

  updateAgent(update: {
    id: string;
    info?: AgentInfo;
    capabilities?: readonly AgentInfo_Capability[];
    total?: Resources;
  }): void {
    const agent = this.agents.get(update.id);
    if (agent === undefined) return;
    if (update.info !== undefined) {
      // Filters were about the agent as it was.
      if (!sameAttributes(update.info.attributes, agent.info.attributes)) this.removeFiltersOf(agent);
      agent.info = update.info;
    }
    if (update.capabilities !== undefined) agent.capabilities = update.capabilities;
    if (update.total !== undefined) this.setTotal(agent, update.total);
    this.reconsider(agent);
  }

  removeAgent(agentId: string): void {
    const agent = this.agents.get(agentId);
    if (agent === undefined) return;
    this.holdings.releaseAgent(agent);
    this.countTotal(agent.total, -1);
    this.removeFiltersOf(agent);
    this.maintenance.schedule(agent, undefined);
    agent.gone = true;
    this.agents.delete(agentId);
  }

  activateAgent(agentId: string): void {
    const agent = this.agents.get(agentId);
    if (agent === undefined) return;
    agent.active = true;
    this.reconsider(agent);
  }

  deactivateAgent(agentId: string): void {
    const agent = this.agents.get(agentId);
    if (agent !== undefined) agent.active = false;
  }

  addResourceProvider(provider: {
    agentId: string;
    total: Resources;
    used: ReadonlyMap<string, Resources>;
  }): void {
    const agent = this.agents.get(provider.agentId);
    if (agent === undefined) return;
    this.setTotal(agent, agent.total.add(provider.total));
    for (const [frameworkId, resources] of provider.used) this.holdUsed(agent, frameworkId, resources);
    this.reconsider(agent);
  }

  recover({ frameworkId, agentId, resources, filters, allocated }: ResourceRecovery): void {
    const agent = this.agents.get(agentId);
    if (agent === undefined || resources.isEmpty) return;
    const released = this.holdings.release(agent, frameworkId, { allocated: resources, wasUsed: allocated });
    if (filters === undefined) {
      // Mesos lets these wait for the batch. They are free because a task has ended: the sooner the next one gets them, the better.
      if (released) this.urgent.addAgent(agent);
      this.schedule.gather();
      return;
    }
    if (released) this.patient.addAgent(agent);
    const ms = refusalMs(filters);
    const members = this.frameworks.get(frameworkId)?.members;
    if (ms === 0 || members === undefined) return;
    const now = this.options.clock.monotonic();
    forEachRole(resources, (role, part) => {
      const member = members.get(role);
      if (member !== undefined)
        this.filters.add(member, agent, { refused: this.refusedOf(agent, part), now, ms });
    });
  }

  transition({
    frameworkId,
    agentId,
    resources,
  }: {
    frameworkId: string;
    agentId: string;
    resources: Resources;
  }): void {
    const agent = this.agents.get(agentId);
    if (agent !== undefined && !resources.isEmpty) this.holdings.use(agent, frameworkId, resources);
  }

  updateAllocation(change: {
    frameworkId: string;
    agentId: string;
    conversions: readonly Conversion[];
  }): void {
    const agent = this.agents.get(change.agentId);
    if (agent === undefined) return;
    for (const { consumed, converted } of change.conversions) {
      this.holdings.release(agent, change.frameworkId, { allocated: consumed });
      // Further copies of what is shared are no part of the total.
      if (!consumed.isEmpty) {
        this.setTotal(agent, agent.total.subtract(consumed.unallocate()).add(converted.unallocate()));
      }
      this.holdings.hold(agent, change.frameworkId, converted);
    }
  }

  updateAvailable({
    agentId,
    conversions,
  }: {
    agentId: string;
    conversions: readonly Conversion[];
  }): boolean {
    const agent = this.agents.get(agentId);
    if (agent === undefined) return false;
    let { available, total } = agent;
    // A shared volume is available however many have it, but it can be changed only while nobody has.
    const held = Resources.sum(
      [...agent.holders.values()].map(({ allocated }) => allocated.unallocate().shared()),
    );
    for (const { consumed, converted } of conversions) {
      if (!available.contains(consumed)) return false;
      if (consumed.shared().entries.some((one) => held.entries.some((other) => other.sameAs(one))))
        return false;
      available = available.subtract(consumed).add(converted);
      total = total.subtract(consumed).add(converted);
    }
    this.setTotal(agent, total);
    this.reconsider(agent);
    return true;
  }

  suppress(frameworkId: string, roles: readonly string[]): void {
    const state = this.frameworks.get(frameworkId);
    if (state === undefined) return;
    for (const role of roles.length === 0 ? state.roles : roles) {
      if (state.roles.has(role)) state.suppressed.add(role);
    }
    this.updateWants(state);
  }

  revive(frameworkId: string, roles: readonly string[]): void {
    const state = this.frameworks.get(frameworkId);
    if (state === undefined) return;
    for (const role of roles.length === 0 ? state.roles : roles) {
      this.removeFilters(state, role);
      state.suppressed.delete(role);
    }
    this.maintenance.forgetRefusals(frameworkId);
    this.updateWants(state);
    this.reconsiderFramework(state);
  }

  updateWeights(weights: ReadonlyMap<string, number>): void {
    for (const [role, weight] of weights) this.roles.sorter.setWeight(role, weight);
  }

  updateQuota(role: string, quota: RoleQuota): void {
    this.metrics.forgetQuota(role);
    this.tree.setQuota(role, quota);
    this.metrics.showQuota(role, quota);
  }

  updateUnavailability(agentId: string, unavailability: Unavailability | undefined): void {
    const agent = this.agents.get(agentId);
    if (agent === undefined) return;
    this.maintenance.schedule(agent, unavailability);
    this.reconsider(agent);
  }

  updateInverseOffer(answer: {
    agentId: string;
    frameworkId: string;
    status?: InverseOfferStatus | undefined;
    filters?: Filters | undefined;
  }): void {
    const agent = this.agents.get(answer.agentId);
    if (agent === undefined) return;
    const { frameworkId, status, filters } = answer;
    this.maintenance.answered(agent, frameworkId, { status, filters, now: this.options.clock.monotonic() });
  }

  inverseOfferStatuses(): ReadonlyMap<string, ReadonlyMap<string, InverseOfferStatus>> {
    return this.maintenance.statuses();
  }

  updateWhitelist(hostnames: ReadonlySet<string> | undefined): void {
    this.whitelist = hostnames;
    this.patient.addAll();
  }

  pause(): void {
    this.holdOff.pause();
  }

  resume(): void {
    this.holdOff.resume();
  }

  recoverCluster({
    expectedAgents,
    quotas,
  }: {
    expectedAgents: number;
    quotas: ReadonlyMap<string, RoleQuota>;
  }): void {
    for (const [role, quota] of quotas) this.updateQuota(role, quota);
    if (quotas.size > 0) this.holdOff.awaitAgents(expectedAgents);
  }

  validateOfferConstraints(constraints: OfferConstraints): string | undefined {
    return this.constraints.validate(constraints);
  }

  excludedByConstraints(frameworkId: string, role: string): readonly string[] {
    const constraints = this.frameworks.get(frameworkId)?.constraints;
    if (constraints === undefined) return [];
    const excluded: string[] = [];
    for (const { id, info } of this.agents.values()) if (constraints.excludes(role, info)) excluded.push(id);
    return excluded;
  }

  explain(frameworkId: string, role?: string): FrameworkExplanation | undefined {
    const framework = this.frameworks.get(frameworkId);
    if (framework === undefined) return undefined;
    const { roles, tree, judge, agents, holdings, maintenance } = this;
    const { names } = this.totals;
    const explainer = new Explainer({
      names,
      roles,
      tree,
      judge,
      agents,
      holdings,
      now: this.options.clock.monotonic(),
      isPaused: this.holdOff.isPaused,
      isWhitelisted: (agent) => this.isWhitelisted(agent),
      isInMaintenance: (agent) => maintenance.isScheduled(agent),
    });
    return explainer.explain(framework, role);
  }

  private makeRun(batch: boolean): AllocationRun | undefined {
    if (this.holdOff.isPaused) return undefined;
    if (batch) {
      this.urgent.absorb(this.patient);
      // What quota withheld may be somebody's by now.
      if (this.judge.withheld && this.relaxationsSeen !== this.tree.relaxations) {
        this.judge.withheld = false;
        this.urgent.addAll();
      }
      this.relaxationsSeen = this.tree.relaxations;
    }
    this.metrics.runs.inc();
    const candidates = this.urgent.take();
    const { roles, tree, judge, holdings } = this;
    return new AllocationRun(
      {
        roles,
        tree,
        judge,
        holdings,
        names: this.totals.names,
        random: this.options.random,
        isEligible: (agent) => agent.active && this.isWhitelisted(agent),
      },
      // With nobody to offer anything to, no agent needs a look before somebody comes, who concerns every agent.
      roles.wanting === 0 ? { agents: [], only: new Map() } : candidates,
    );
  }

  private finished(run: AllocationRun | undefined): void {
    for (const agent of run?.again ?? []) this.patient.addAgent(agent);
    if (run === undefined) return;
    const isActive = (id: string): boolean => this.frameworks.get(id)?.active === true;
    for (const offer of this.maintenance.take(isActive, this.options.clock.monotonic())) {
      this.callbacks?.inverseOffer?.(offer);
    }
  }

  private expireFilters(isOver: () => boolean): boolean {
    const now = this.options.clock.monotonic();
    for (;;) {
      const expired = this.filters.expire(now, EXPIRE_AT_ONCE);
      for (const { agent, member } of expired) if (!agent.gone) this.patient.addAgent(agent, member);
      if (expired.length < EXPIRE_AT_ONCE) return true;
      if (isOver()) return false;
    }
  }

  private isWhitelisted({ info }: AgentState): boolean {
    return this.whitelist?.has(info.hostname ?? "") ?? true;
  }

  /** What an agent or a provider brings along is in use. */
  private holdUsed(agent: AgentState, frameworkId: string, allocated: Resources): void {
    if (allocated.isEmpty) return;
    this.holdings.hold(agent, frameworkId, allocated);
    this.holdings.use(agent, frameworkId, allocated);
  }

  private setTotal(agent: AgentState, total: Resources): void {
    if (total.equals(agent.total)) return;
    this.countTotal(agent.total, -1);
    agent.total = total;
    this.countTotal(total, 1);
  }

  private countTotal(total: Resources, sign: 1 | -1): void {
    if (sign > 0) this.totals.add(total.quantities());
    else this.totals.subtract(total.quantities());
    this.tree.reserve(total, sign);
    this.headroom.addTotal(total, sign);
  }

  /** The bundle that the agent has itself, where it is the same: filters are many. */
  private refusedOf(agent: AgentState, part: Resources): Resources {
    const plain = agent.plainOf(part);
    return plain.equals(agent.available) ? agent.available : plain;
  }

  private removeFilters(framework: FrameworkState, role: string): void {
    const member = framework.members.get(role);
    if (member !== undefined) this.filters.removeMember(member);
  }

  private removeFiltersOf(agent: AgentState): void {
    for (const { members } of this.frameworks.values()) this.filters.removeAgent(members.values(), agent);
  }

  private reconsider(agent: AgentState): void {
    this.urgent.addAgent(agent);
    this.schedule.soon();
  }

  private reconsiderFramework(framework: FrameworkState): void {
    for (const member of framework.members.values()) this.urgent.addMember(member);
    this.schedule.soon();
  }

  private updateWants(framework: FrameworkState): void {
    for (const [role, member] of framework.members) this.roles.setWants(member, framework.wants(role));
  }

  private makeSorter<C>(kind: SorterKind): Sorter<C> {
    return kind === "drf" ? new DrfSorter<C>(this.totals) : new RandomSorter<C>(this.options.random);
  }
}

const NO_QUOTA: RoleQuota = { guarantees: new Map(), limits: new Map() };
