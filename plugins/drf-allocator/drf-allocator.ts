import type { AgentInfo, DomainInfo } from "../../proto/gen/mesos/v1/mesos.js";
import { sameAttributes } from "../../sdk/attributes/index.js";
import type {
  Allocator,
  AllocatorAgent,
  AllocatorCallbacks,
  AllocatorFramework,
  ResourceRecovery,
} from "../../sdk/contracts/allocator.js";
import type { Clock } from "../../sdk/contracts/clock.js";
import type { Metrics } from "../../sdk/contracts/metrics.js";
import type { Random } from "../../sdk/contracts/random.js";
import { type Quantities, Resources } from "../../sdk/resources/index.js";
import { AgentState } from "./agent-state.js";
import { AllocationRun, type Offer } from "./allocation-run.js";
import { AllocatorMetrics } from "./allocator-metrics.js";
import { Candidates } from "./candidates.js";
import { CapabilityGates } from "./capability-gates.js";
import { forEachRole } from "./for-each-role.js";
import { FrameworkState } from "./framework-state.js";
import { Holdings } from "./holdings.js";
import { OfferFilters, refusalMs } from "./offer-filters.js";
import { RoleLedger } from "./role-ledger.js";
import { RoleUsage } from "./role-usage.js";
import { RunSchedule } from "./run-schedule.js";
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
  readonly roleSorter: SorterKind;
  readonly frameworkSorter: SorterKind;
  /** Alternatives; none: anything is worth an offer. */
  readonly minAllocatable: readonly Quantities[];
  readonly fairSharingExcluded: ReadonlySet<string>;
  readonly filterGpuResources: boolean;
  /** The master's. */
  readonly domain: DomainInfo | undefined;
}

/**
 * The hierarchical allocator: roles take turns by dominant resource fairness, frameworks within a role likewise, and each turn is
 * the offer of all that an agent has free.
 *
 * Only agents at which something has changed are looked at: an agent that was visited and still has something free has it because
 * nobody may or wants to have it, and that stays so until one of the events below. Events about frameworks concern every agent.
 */
export class DrfAllocator implements Allocator {
  private readonly agents = new Map<string, AgentState>();
  private readonly frameworks = new Map<string, FrameworkState>();
  /** For the next run, which is soon. */
  private readonly urgent = new Candidates(this.agents);
  /** For the next run of the batch: what was declined must not be offered again at once. */
  private readonly patient = new Candidates(this.agents);
  private callbacks: AllocatorCallbacks | undefined;

  private readonly totals: ClusterTotals;
  private readonly usage: RoleUsage;
  private readonly ledger: RoleLedger;
  private readonly holdings: Holdings;
  private readonly filters: OfferFilters;
  private readonly gates: CapabilityGates;
  private readonly metrics: AllocatorMetrics;
  private readonly schedule: RunSchedule;

  constructor(private readonly options: DrfAllocatorOptions) {
    const { clock, allocationInterval } = options;
    this.totals = new ClusterTotals(options.fairSharingExcluded);
    this.metrics = new AllocatorMetrics(options.metrics, {
      total: (resource) => this.totals.get(resource),
      held: (resource) => this.holdings.total(resource),
      share: (role) => this.ledger.share(role),
      consumption: (role, resource) => this.usage.consumption(role, resource),
      activeFilters: (role) => this.filters.active(role),
      pendingRuns: () => Number(this.schedule.isPending),
    });
    this.usage = new RoleUsage(this.totals.names, this.metrics);
    this.ledger = new RoleLedger({
      names: this.totals.names,
      roleSorter: this.makeSorter(options.roleSorter),
      frameworkSorter: () => this.makeSorter(options.frameworkSorter),
      usage: this.usage,
    });
    this.holdings = new Holdings(this.ledger, this.totals.names);
    this.filters = new OfferFilters(allocationInterval);
    this.gates = new CapabilityGates(options);
    this.schedule = new RunSchedule({
      clock,
      interval: allocationInterval,
      batch: () => {
        this.expireFilters();
        this.run([...this.urgent.take(), ...this.patient.take()]);
      },
      run: () => this.run(this.urgent.take()),
      waited: this.metrics.latency,
    });
  }

  start(callbacks: AllocatorCallbacks): void {
    this.callbacks = callbacks;
    this.schedule.start();
  }

  stop(): void {
    this.schedule.stop();
    this.callbacks = undefined;
  }

  addFramework(framework: AllocatorFramework, used: ReadonlyMap<string, Resources>): void {
    if (this.frameworks.has(framework.id)) {
      this.updateFramework(framework);
      return;
    }
    const state = new FrameworkState(framework);
    this.frameworks.set(state.id, state);
    for (const role of state.roles) this.ledger.subscribe(state.id, role);
    this.updateWants(state);
    this.holdings.count(state.id);
    for (const [agentId, resources] of used) {
      const agent = this.agents.get(agentId);
      if (agent === undefined) continue;
      // Usually nothing: the agent has told, when it came.
      this.holdings.hold(agent, state.id, resources.subtract(agent.holders.get(state.id) ?? Resources.empty));
    }
    if (state.active) this.reconsiderAll();
  }

  updateFramework(framework: AllocatorFramework): void {
    const state = this.frameworks.get(framework.id);
    if (state === undefined) return;
    const before = { roles: state.roles, suppressed: new Set(state.suppressed) };
    state.update(framework);
    for (const role of before.roles) {
      if (state.roles.has(role)) continue;
      this.filters.removeRole(state.id, role);
      this.ledger.unsubscribe(state.id, role);
    }
    for (const role of state.roles) {
      if (!before.roles.has(role)) this.ledger.subscribe(state.id, role);
      // Lifting a suppression is a revival, which clears filters.
      if (before.suppressed.has(role) && !state.suppressed.has(role)) this.filters.removeRole(state.id, role);
    }
    this.updateWants(state);
    // No run of its own, as in Mesos: a framework that updates itself in a loop must not drive the allocator.
    this.patient.addAll();
    if (framework.active && !state.active) this.activateFramework(state.id);
    if (!framework.active && state.active) this.deactivateFramework(state.id);
  }

  removeFramework(frameworkId: string): void {
    for (const agent of this.holdings.releaseFramework(frameworkId)) this.urgent.add(agent);
    this.schedule.gather();
    const state = this.frameworks.get(frameworkId);
    if (state === undefined) return;
    for (const role of state.roles) this.ledger.unsubscribe(frameworkId, role);
    this.filters.removeFramework(frameworkId);
    this.frameworks.delete(frameworkId);
  }

  activateFramework(frameworkId: string): void {
    const state = this.frameworks.get(frameworkId);
    if (state === undefined) return;
    state.active = true;
    this.updateWants(state);
    this.reconsiderAll();
  }

  deactivateFramework(frameworkId: string): void {
    const state = this.frameworks.get(frameworkId);
    if (state === undefined) return;
    state.active = false;
    this.updateWants(state);
    this.filters.removeFramework(frameworkId);
  }

  addAgent(added: AllocatorAgent): void {
    if (this.agents.has(added.id)) this.removeAgent(added.id);
    const agent = new AgentState(added);
    this.agents.set(agent.id, agent);
    this.totals.add(agent.total.quantities());
    this.usage.reserve(agent.total);
    for (const [frameworkId, resources] of added.used) this.holdings.hold(agent, frameworkId, resources);
    this.reconsider(agent);
  }

  updateAgent(update: { id: string; info?: AgentInfo; total?: Resources }): void {
    const agent = this.agents.get(update.id);
    if (agent === undefined) return;
    if (update.info !== undefined) {
      // Filters were about the agent as it was.
      if (!sameAttributes(update.info.attributes, agent.info.attributes)) this.filters.removeAgent(agent.id);
      agent.info = update.info;
    }
    if (update.total !== undefined && !update.total.equals(agent.total))
      this.changeTotal(agent, update.total);
    this.reconsider(agent);
  }

  removeAgent(agentId: string): void {
    const agent = this.agents.get(agentId);
    if (agent === undefined) return;
    this.holdings.releaseAgent(agent);
    this.totals.subtract(agent.total.quantities());
    this.usage.unreserve(agent.total);
    this.filters.removeAgent(agentId);
    this.urgent.remove(agent);
    this.patient.remove(agent);
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

  recover({ frameworkId, agentId, resources, filters }: ResourceRecovery): void {
    const agent = this.agents.get(agentId);
    if (agent === undefined || resources.isEmpty) return;
    const released = this.holdings.release(agent, frameworkId, resources);
    if (filters === undefined) {
      // Mesos lets these wait for the batch. They are free because a task has ended: the sooner the next one gets them, the better.
      if (released) this.urgent.add(agent);
      this.schedule.gather();
      return;
    }
    if (released) this.patient.add(agent);
    const ms = refusalMs(filters);
    if (ms === 0 || !this.frameworks.has(frameworkId)) return;
    const now = this.options.clock.monotonic();
    forEachRole(resources, (role, part) =>
      this.filters.add({ frameworkId, role, agentId, refused: part.unallocate() }, now, ms),
    );
  }

  updateAllocation({
    frameworkId,
    agentId,
    conversions,
  }: Parameters<Allocator["updateAllocation"]>[0]): void {
    const agent = this.agents.get(agentId);
    if (agent === undefined) return;
    let { total } = agent;
    for (const { consumed, converted } of conversions) {
      this.holdings.release(agent, frameworkId, consumed);
      // More copies of a shared volume do not make the agent larger.
      if (!consumed.isEmpty) total = total.subtract(consumed.unallocate()).add(converted.unallocate());
      this.changeTotal(agent, total);
      this.holdings.hold(agent, frameworkId, converted);
    }
  }

  updateAvailable({ agentId, conversions }: Parameters<Allocator["updateAvailable"]>[0]): boolean {
    const agent = this.agents.get(agentId);
    if (agent === undefined) return false;
    let { available, total } = agent;
    // A shared volume is available however many have it, but it can be changed only while nobody has.
    const held = Resources.sum(agent.holders.values()).unallocate().shared();
    for (const { consumed, converted } of conversions) {
      if (!available.contains(consumed) || consumed.shared().entries.some((one) => holds(held, one)))
        return false;
      available = available.subtract(consumed).add(converted);
      total = total.subtract(consumed).add(converted);
    }
    this.changeTotal(agent, total);
    this.reconsider(agent);
    return true;
  }

  addResourceProvider({ agentId, total, used }: Parameters<Allocator["addResourceProvider"]>[0]): void {
    const agent = this.agents.get(agentId);
    if (agent === undefined) return;
    this.changeTotal(agent, agent.total.add(total));
    for (const [frameworkId, resources] of used) this.holdings.hold(agent, frameworkId, resources);
    this.reconsider(agent);
  }

  private changeTotal(agent: AgentState, total: Resources): void {
    this.totals.subtract(agent.total.quantities());
    this.usage.unreserve(agent.total);
    agent.total = total;
    this.totals.add(total.quantities());
    this.usage.reserve(total);
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
      this.filters.removeRole(frameworkId, role);
      state.suppressed.delete(role);
    }
    this.updateWants(state);
    this.reconsiderAll();
  }

  updateWeights(weights: ReadonlyMap<string, number>): void {
    for (const [role, weight] of weights) this.ledger.setWeight(role, weight);
  }

  private run(agents: readonly AgentState[]): void {
    const { metrics, callbacks } = this;
    metrics.runs.inc();
    const done = metrics.run.start();
    const offers = this.allocate(agents);
    done();
    // After the run: a callback may call back.
    for (const offer of offers) callbacks?.offer(offer);
  }

  private allocate(agents: readonly AgentState[]): readonly Offer[] {
    // With nobody to offer anything to, no agent needs a look before somebody comes, who concerns every agent.
    if (this.ledger.order().length === 0) return [];
    const { ledger, frameworks, filters, gates, holdings } = this;
    const { minAllocatable, random, clock } = this.options;
    const run = new AllocationRun({
      ledger,
      frameworks,
      filters,
      gates,
      minAllocatable,
      random,
      now: clock.monotonic(),
      holdings,
    });
    const { offers, again } = run.over(agents);
    for (const agent of again) this.patient.add(agent);
    return offers;
  }

  private expireFilters(): void {
    for (const agentId of this.filters.expire(this.options.clock.monotonic())) {
      const agent = this.agents.get(agentId);
      if (agent !== undefined) this.patient.add(agent);
    }
  }

  private reconsider(agent: AgentState): void {
    this.urgent.add(agent);
    this.schedule.soon();
  }

  private reconsiderAll(): void {
    this.urgent.addAll();
    this.schedule.soon();
  }

  private updateWants(framework: FrameworkState): void {
    for (const role of framework.roles) this.ledger.setWants(framework.id, role, framework.wants(role));
  }

  private makeSorter(kind: SorterKind): Sorter {
    return kind === "drf" ? new DrfSorter(this.totals) : new RandomSorter(this.options.random);
  }
}

const holds = (resources: Resources, entry: Resources["entries"][number]): boolean =>
  resources.entries.some((one) => one.sameAs(entry));
