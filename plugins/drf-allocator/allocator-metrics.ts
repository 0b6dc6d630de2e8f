import type { RoleQuota } from "../../sdk/contracts/allocator.js";
import type { Counter, Metrics, MetricTimer } from "../../sdk/contracts/metrics.js";
import type { ScalarNames } from "./accounts/measure.js";
import type { RoleNode, RoleTreeObserver } from "./accounts/role-tree.js";

/** What the gauges read. */
export interface AllocatorFigures {
  readonly names: ScalarNames;
  /** Thousandths, over all agents. */
  total(resource: string): number;
  held(resource: string): number;
  /** Dominant share; undefined where the sorter knows none. */
  share(role: string): number | undefined;
  node(role: string): RoleNode | undefined;
  activeFilters(role: string): number;
  /** Runs that were asked for and did not begin yet. */
  pendingRuns(): number;
}

const SCALARS = ["cpus", "mem", "disk"];

/** The metrics under `allocator/`, by Mesos's names. */
export class AllocatorMetrics implements RoleTreeObserver {
  readonly runs: Counter;
  readonly run: MetricTimer;
  readonly latency: MetricTimer;
  private readonly quotaGauges = new Map<string, string[]>();

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
    const name = quotaMetric(role, resource, "consumed");
    if (any) this.metrics.gauge(name, () => this.figure(role, resource, "allocated"));
    else this.metrics.remove(name);
  }

  showQuota(role: string, { guarantees, limits }: RoleQuota): void {
    const shown: string[] = [];
    const show = (resource: string, what: string, read: () => number): void => {
      const name = quotaMetric(role, resource, what);
      this.metrics.gauge(name, read);
      shown.push(name);
    };
    for (const [resource, milli] of guarantees) show(resource, "guarantee", () => milli / 1000);
    for (const [resource, milli] of limits) show(resource, "limit", () => milli / 1000);
    for (const resource of new Set([...guarantees.keys(), ...limits.keys()])) {
      show(resource, "offered_or_allocated", () => this.figure(role, resource, "held"));
    }
    if (shown.length > 0) this.quotaGauges.set(role, shown);
  }

  forgetQuota(role: string): void {
    for (const name of this.quotaGauges.get(role) ?? []) this.metrics.remove(name);
    this.quotaGauges.delete(role);
  }

  /** What counts as consumed: reservations, and what is in use, or held, of other resources. In the resource's unit. */
  private figure(role: string, resource: string, what: "allocated" | "held"): number {
    const node = this.figures.node(role);
    const number = this.figures.names.numberOf(resource);
    return ((node?.reserved[number] ?? 0) + (node?.[what][number] ?? 0)) / 1000;
  }
}

const quotaMetric = (role: string, resource: string, what: string): string =>
  `allocator/mesos/quota/roles/${role}/resources/${resource}/${what}`;
