import type { AllocatorCallbacks } from "../../../sdk/contracts/allocator.js";
import type { AgentState } from "../agent-state.js";
import type { Books } from "../books.js";
import type { FrameworkState } from "../framework-state.js";
import type { Maintenance } from "../maintenance.js";
import type { DrfAllocatorOptions } from "../options.js";
import { AllocationRun } from "./allocation-run.js";
import { Candidates } from "./candidates.js";
import { CapabilityGates } from "./capability-gates.js";
import { HoldOff } from "./hold-off.js";
import { Judge } from "./judge.js";
import { RunSchedule } from "./run-schedule.js";
import { Runner } from "./runner.js";

/** How many filters end between two looks at the clock. */
const EXPIRE_AT_ONCE = 256;

/** Knows what has to be looked at, and when, and has runs look at it. */
export class Engine {
  readonly judge: Judge;
  readonly holdOff: HoldOff;
  /** Hostnames of the only agents that are offered; undefined: all are. */
  whitelist: ReadonlySet<string> | undefined;
  /** For the next run, which is soon. */
  private readonly urgent: Candidates;
  /** For the next run of the batch: what was declined must not be offered again at once. */
  private readonly patient: Candidates;
  private readonly schedule: RunSchedule;
  private readonly runner: Runner;
  private callbacks: AllocatorCallbacks | undefined;
  private relaxationsSeen = 0;

  constructor(
    private readonly options: DrfAllocatorOptions,
    private readonly books: Books,
    private readonly maintenance: Maintenance,
  ) {
    const { clock, sliceMs, allocationInterval: interval, minAllocatable } = options;
    const { metrics, totals, tree, headroom, filters } = books;
    this.urgent = new Candidates(books.agents);
    this.patient = new Candidates(books.agents);
    const gates = new CapabilityGates(options);
    this.judge = new Judge({ names: totals.names, tree, headroom, filters, gates, minAllocatable });
    this.holdOff = new HoldOff(options, () => this.patient.addAll());
    this.runner = new Runner({
      clock,
      sliceMs,
      expire: (isOver) => this.expireFilters(isOver),
      makeRun: (batch) => this.makeRun(batch),
      offer: (offer) => this.callbacks?.offer(offer),
      finished: (run) => this.finished(run),
      took: metrics.run,
    });
    this.schedule = new RunSchedule({
      clock,
      interval,
      batch: () => this.runner.begin(true),
      run: () => this.runner.begin(false),
      waited: metrics.latency,
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
    this.callbacks = undefined;
  }

  get isPending(): boolean {
    return this.schedule.isPending;
  }

  isWhitelisted({ info }: AgentState): boolean {
    return this.whitelist?.has(info.hostname ?? "") ?? true;
  }

  /** Something about the agent has changed: at once. */
  reconsider(agent: AgentState): void {
    this.urgent.addAgent(agent);
    this.schedule.soon();
  }

  /** The framework may want what it did not before: at once. */
  reconsiderFramework(framework: FrameworkState): void {
    for (const member of framework.members.values()) this.urgent.addMember(member);
    this.schedule.soon();
  }

  /** Tasks have ended: soon, with others that end in this moment. */
  gather(agents: Iterable<AgentState>): void {
    for (const agent of agents) this.urgent.addAgent(agent);
    this.schedule.gather();
  }

  /** What the agent has free, with the next batch. */
  reconsiderLater(agent: AgentState): void {
    this.patient.addAgent(agent);
  }

  /** Whatever the framework may want, with the next batch. */
  reconsiderFrameworkLater(framework: FrameworkState): void {
    for (const member of framework.members.values()) this.patient.addMember(member);
  }

  /** Everything, with the next batch. */
  reconsiderAllLater(): void {
    this.patient.addAll();
  }

  private makeRun(batch: boolean): AllocationRun | undefined {
    if (this.holdOff.isPaused) return undefined;
    const { urgent, judge } = this;
    const { roles, tree, holdings, totals, metrics } = this.books;
    if (batch) {
      urgent.absorb(this.patient);
      // What quota withheld may be somebody's by now.
      if (judge.withheld && this.relaxationsSeen !== tree.relaxations) {
        judge.withheld = false;
        urgent.addAll();
      }
      this.relaxationsSeen = tree.relaxations;
    }
    metrics.runs.inc();
    const visits = urgent.take();
    const isEligible = (agent: AgentState): boolean => agent.active && this.isWhitelisted(agent);
    const { random } = this.options;
    return new AllocationRun(
      { roles, tree, judge, holdings, names: totals.names, random, isEligible },
      // With nobody to offer anything to, no agent needs a look before somebody comes, who concerns every agent.
      roles.wanting === 0 ? { agents: [], only: new Map() } : visits,
    );
  }

  private finished(run: AllocationRun | undefined): void {
    if (run === undefined) return;
    for (const agent of run.again) this.patient.addAgent(agent);
    const isActive = (id: string): boolean => this.books.frameworks.get(id)?.active === true;
    for (const offer of this.maintenance.take(isActive, this.options.clock.monotonic())) {
      this.callbacks?.inverseOffer?.(offer);
    }
  }

  private expireFilters(isOver: () => boolean): boolean {
    const now = this.options.clock.monotonic();
    for (;;) {
      const expired = this.books.filters.expire(now, EXPIRE_AT_ONCE);
      for (const { agent, member } of expired) if (!agent.gone) this.patient.addAgent(agent, member);
      if (expired.length < EXPIRE_AT_ONCE) return true;
      if (isOver()) return false;
    }
  }
}
