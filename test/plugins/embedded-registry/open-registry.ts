import { EmbeddedRegistry } from "../../../plugins/embedded-registry/embedded-registry.js";
import type { Clock } from "../../../sdk/contracts/clock.js";
import { MetricsRegistry } from "../../../sdk/contracts/metrics-registry.js";
import { SystemClock } from "../../../sdk/contracts/system-clock.js";
import { RegistryMetrics } from "../../../sdk/registry/index.js";
import { MemoryLogger } from "../../../sdk/testing/memory-logger.js";

export interface OpenOptions {
  /** The real one by default. */
  readonly clock?: Clock;
  /** From how many bytes on a segment is replaced; few by default. */
  readonly compactionBytes?: number;
}

export function openRegistry(directory: string, options: OpenOptions = {}): EmbeddedRegistry {
  const { clock = new SystemClock(), compactionBytes = 8 * 1024 } = options;
  return new EmbeddedRegistry({
    directory,
    clock,
    logger: new MemoryLogger(),
    metrics: new RegistryMetrics(new MetricsRegistry(clock)),
    fetchTimeout: 60_000,
    storeTimeout: 20_000,
    compactionBytes,
  });
}
