import type { Registry as RegistryState } from "../../proto/gen/mesos/internal/registry.js";
import type { MasterInfo } from "../../proto/gen/mesos/v1/mesos.js";
import type { Registry, RegistryOperation } from "../../sdk/contracts/registry.js";
import { applyOperation, emptyFacts, type RegistryMetrics, stateOf } from "../../sdk/registry/index.js";

/** A registry that forgets everything when its process ends: for tests, and for clusters that can afford that. */
export class MemoryRegistry implements Registry {
  private readonly facts = emptyFacts();

  constructor(private readonly metrics: RegistryMetrics) {}

  async recover(master: MasterInfo): Promise<RegistryState> {
    const fetched = this.metrics.fetch.start();
    const stored = this.metrics.store.start();
    this.facts.master = master;
    this.metrics.changed(this.facts);
    stored();
    fetched();
    return stateOf(this.facts);
  }

  async apply(operation: RegistryOperation): Promise<boolean> {
    const done = this.metrics.store.start();
    const changed = applyOperation(this.facts, operation);
    if (changed) {
      this.metrics.changed(this.facts);
      done();
    }
    return changed;
  }

  async peek(): Promise<RegistryState> {
    return stateOf(this.facts);
  }
}
