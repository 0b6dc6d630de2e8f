import { expect } from "chai";
import { MetricsRegistry } from "../../../sdk/contracts/metrics-registry.js";
import { RegistryMetrics, SharedRegistry } from "../../../sdk/registry/index.js";
import { MemoryLogger } from "../../../sdk/testing/memory-logger.js";
import { SeededRandom } from "../../../sdk/testing/seeded-random.js";
import { VirtualClock } from "../../../sdk/testing/virtual-clock.js";
import { ModelEngine, ModelStore } from "./model-store.js";

describe("a registry that masters share", () => {
  it("lets nobody who looks at it wait as long as a master that recovers", async () => {
    const clock = new VirtualClock();
    const store = new ModelStore(new ModelEngine());
    store.around = () => new Promise<void>(() => {});
    const registry = new SharedRegistry({
      store: () => store,
      engine: "model",
      url: "model://",
      clock,
      random: new SeededRandom(1),
      logger: new MemoryLogger(),
      metrics: new RegistryMetrics(new MetricsRegistry(clock)),
      fetchTimeout: 60_000,
      storeTimeout: 20_000,
    });
    const outcome = registry.peek().then(
      () => "answered",
      (error: Error) => error.message,
    );
    await clock.advance(5000);
    expect(await Promise.race([outcome, Promise.resolve("waits")])).to.equal(
      "no answer from model within 5000 ms",
    );
  });
});
