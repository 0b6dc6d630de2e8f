import { Registry } from "../../proto/gen/mesos/internal/registry.js";
import type { Metrics, MetricTimer } from "../contracts/metrics.js";
import { type RegistryFacts, stateOf } from "./registry-facts.js";

/** The metrics under `registrar/` that every registry publishes. */
export class RegistryMetrics {
  readonly fetch: MetricTimer;
  readonly store: MetricTimer;
  /** Operations whose outcome is not known yet. */
  queued = 0;
  private facts: RegistryFacts | undefined;
  private size: number | undefined;

  constructor(private readonly metrics: Metrics) {
    this.fetch = metrics.timer("registrar/state_fetch");
    this.store = metrics.timer("registrar/state_store");
    metrics.gauge("registrar/queued_operations", () => this.queued);
    metrics.gauge("registrar/registry_size_bytes", () => this.readSize());
  }

  /** Mesos publishes the state of its replicated log under these names. */
  showLog(log: { readonly replicas: number; readonly recovered: () => boolean }): void {
    this.metrics.gauge("registrar/log/ensemble_size", () => log.replicas);
    this.metrics.gauge("registrar/log/recovered", () => (log.recovered() ? 1 : 0));
  }

  /** The facts have changed since the last call. */
  changed(facts: RegistryFacts): void {
    this.facts = facts;
    this.size = undefined;
  }

  /** Measured when somebody asks, not at each change; no value before the first recovery. */
  private readSize(): number {
    if (this.facts === undefined) return Number.NaN;
    this.size ??= Registry.encode(stateOf(this.facts)).finish().length;
    return this.size;
  }
}
