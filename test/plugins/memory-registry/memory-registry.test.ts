import { MemoryRegistry } from "../../../plugins/memory-registry/memory-registry.js";
import { MetricsRegistry } from "../../../sdk/contracts/metrics-registry.js";
import { RegistryMetrics } from "../../../sdk/registry/index.js";
import { registrySuite } from "../../../sdk/testing/registry-suite.js";
import { VirtualClock } from "../../../sdk/testing/virtual-clock.js";

describe("memory registry", () => {
  const suite = registrySuite(async () => ({
    registry: new MemoryRegistry(new RegistryMetrics(new MetricsRegistry(new VirtualClock()))),
    close: async () => {},
  }));
  for (const { name, run } of suite) it(name, run);
});
