import { TepuiError } from "../errors/tepui-error.js";
import type { Clock } from "./clock.js";
import type { Counter, Metrics, MetricTimer } from "./metrics.js";
import { RecentValues } from "./recent-values.js";

class RegistryCounter implements Counter {
  value = 0;

  inc(amount = 1): void {
    this.value += amount;
  }

  set(value: number): void {
    this.value = value;
  }
}

class RegistryTimer implements MetricTimer {
  readonly recent = new RecentValues();

  constructor(private readonly clock: Clock) {}

  record(ms: number): void {
    this.recent.add(ms);
  }

  start(): () => number {
    const begun = this.clock.monotonic();
    return () => {
      const ms = this.clock.monotonic() - begun;
      this.record(ms);
      return ms;
    };
  }
}

class Gauge {
  constructor(readonly read: () => number) {}
}

type Metric = RegistryCounter | RegistryTimer | Gauge;

/** All metrics of one process, and the views on them. */
export class MetricsRegistry implements Metrics {
  constructor(
    private readonly clock: Clock,
    private readonly metrics = new Map<string, Metric>(),
    private readonly prefix = "",
  ) {}

  counter(name: string): Counter {
    return this.take(name, RegistryCounter, () => new RegistryCounter());
  }

  timer(name: string): MetricTimer {
    return this.take(name, RegistryTimer, () => new RegistryTimer(this.clock));
  }

  gauge(name: string, read: () => number): void {
    this.take(name, Gauge, () => new Gauge(read));
    this.metrics.set(this.prefix + name, new Gauge(read));
  }

  remove(name: string): void {
    this.metrics.delete(this.prefix + name);
  }

  scope(prefix: string): Metrics {
    return new MetricsRegistry(this.clock, this.metrics, this.prefix + prefix);
  }

  snapshot(): ReadonlyMap<string, number> {
    const rows: [string, number][] = [];
    for (const [name, metric] of this.metrics) {
      if (!name.startsWith(this.prefix)) continue;
      if (metric instanceof RegistryCounter) rows.push([name, metric.value]);
      else if (metric instanceof Gauge) rows.push([name, readGauge(metric)]);
      else
        for (const [suffix, value] of metric.recent.statistics()) rows.push([`${name}_ms${suffix}`, value]);
    }
    const finite = rows.filter(([, value]) => Number.isFinite(value));
    return new Map(finite.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)));
  }

  private take<M extends Metric>(name: string, type: new (...args: never[]) => M, make: () => M): M {
    const full = this.prefix + name;
    const existing = this.metrics.get(full);
    if (existing instanceof type) return existing;
    if (existing !== undefined) throw new TepuiError("TEPUI_METRIC_DUPLICATE", { detail: full });
    const made = make();
    this.metrics.set(full, made);
    return made;
  }
}

/** A gauge that cannot be read right now has no value; the reader of a snapshot has no use for its error. */
function readGauge(gauge: Gauge): number {
  try {
    return gauge.read();
  } catch {
    return Number.NaN;
  }
}
