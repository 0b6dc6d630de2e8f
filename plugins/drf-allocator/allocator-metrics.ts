import type { Counter, Metrics, MetricTimer } from "../../sdk/contracts/metrics.js";
import type { RoleUsageObserver } from "./role-usage.js";

/** What the gauges read. */
export interface AllocatorFigures {
  /** Thousandths, over all agents. */
  total(resource: string): number;
  held(resource: string): number;
  /** Dominant share; undefined where the sorter knows none. */
  share(role: string): number | undefined;
  /** Thousandths. */
  consumption(role: string, resource: string): number;
  activeFilters(role: string): number;
  /** Runs that were asked for and did not begin yet. */
  pendingRuns(): number;
}

const SCALARS = ["cpus", "mem", "disk"];

/** The metrics under `allocator/`, by Mesos's names. */
export class AllocatorMetrics implements RoleUsageObserver {
  readonly runs: Counter;
  readonly run: MetricTimer;
  readonly latency: MetricTimer;

  constructor(
    private readonly metrics: Metrics,
    private readonly figures: AllocatorFigures,
  ) {
    this.runs = metrics.counter("allocator/mesos/allocation_runs");
    this.run = metrics.timer("allocator/mesos/allocation_run");
    this.latency = metrics.timer("allocator/mesos/allocation_run_latency");
    metrics.gauge("allocator/event_queue_dispatches", () => figures.pendingRuns());
    metrics.gauge("allocator/mesos/event_queue_dispatches", () => figures.pendingRuns());
    for (const name of SCALARS) {
      metrics.gauge(`allocator/mesos/resources/${name}/total`, () => figures.total(name) / 1000);
      metrics.gauge(
        `allocator/mesos/resources/${name}/offered_or_allocated`,
        () => figures.held(name) / 1000,
      );
    }
  }

  role(role: string, known: boolean): void {
    const name = `allocator/mesos/offer_filters/roles/${role}/active`;
    if (known) this.metrics.gauge(name, () => this.figures.activeFilters(role));
    else this.metrics.remove(name);
  }

  occupied(role: string, occupied: boolean): void {
    const name = `allocator/mesos/roles/${role}/shares/dominant`;
    if (occupied) this.metrics.gauge(name, () => this.figures.share(role) ?? Number.NaN);
    else this.metrics.remove(name);
  }

  consumption(role: string, resource: string, any: boolean): void {
    const name = `allocator/mesos/quota/roles/${role}/resources/${resource}/consumed`;
    if (any) this.metrics.gauge(name, () => this.figures.consumption(role, resource) / 1000);
    else this.metrics.remove(name);
  }
}
