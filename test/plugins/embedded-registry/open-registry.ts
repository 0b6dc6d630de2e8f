import { EmbeddedRegistry } from "../../../plugins/embedded-registry/embedded-registry.js";
import { MetricsRegistry } from "../../../sdk/contracts/metrics-registry.js";
import { SystemClock } from "../../../sdk/contracts/system-clock.js";
import { RegistryMetrics } from "../../../sdk/registry/index.js";
import { MemoryLogger } from "../../../sdk/testing/memory-logger.js";

/** A registry on the real clock, which replaces its segment often. */
export function openRegistry(directory: string): EmbeddedRegistry {
  const clock = new SystemClock();
  return new EmbeddedRegistry({
    directory,
    clock,
    logger: new MemoryLogger(),
    metrics: new RegistryMetrics(new MetricsRegistry(clock)),
    fetchTimeout: 60_000,
    storeTimeout: 20_000,
    compactionBytes: 8 * 1024,
  });
}
