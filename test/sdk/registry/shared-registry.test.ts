import { expect } from "chai";
import { AgentInfo } from "../../../proto/gen/mesos/v1/mesos.js";
import { MetricsRegistry } from "../../../sdk/contracts/metrics-registry.js";
import { RegistryMetrics, SharedRegistry, type Versioned } from "../../../sdk/registry/index.js";
import { MemoryLogger } from "../../../sdk/testing/memory-logger.js";
import { SeededRandom } from "../../../sdk/testing/seeded-random.js";
import { VirtualClock } from "../../../sdk/testing/virtual-clock.js";
import { ModelEngine, ModelStore } from "./model-store.js";

const MASTER = { id: "m", capabilities: [] };
const admit = (id: string) =>
  ({ kind: "admit-agent", agent: AgentInfo.fromPartial({ id: { value: id }, hostname: "h" }) }) as const;

function open(engine: ModelEngine, store = () => new ModelStore(engine)) {
  const clock = new VirtualClock();
  const logger = new MemoryLogger();
  const registry = new SharedRegistry({
    store,
    engine: "model",
    url: "model://",
    clock,
    random: new SeededRandom(1),
    logger,
    metrics: new RegistryMetrics(new MetricsRegistry(clock)),
    fetchTimeout: 60_000,
    storeTimeout: 20_000,
  });
  return { registry, logger };
}

const failureOf = (work: Promise<unknown>) => work.then(String, (error: unknown) => error);

describe("a registry that masters share", () => {
  it("logs that it starts empty", async () => {
    const engine = new ModelEngine();
    const [first, second] = [open(engine), open(engine)];
    await first.registry.recover(MASTER);
    await second.registry.recover(MASTER);
    expect(first.logger.messages("warn")).to.deep.equal([
      "there is no registry yet: beginning with an empty one",
    ]);
    expect(second.logger.messages("warn")).to.deep.equal([]);
  });

  it("is not taken for lost where a server has not heard of the last writes yet", async () => {
    const engine = new ModelEngine();
    const lagging: { head: Versioned | undefined; reads: number } = { head: undefined, reads: 0 };
    class LaggingStore extends ModelStore {
      override readHead(): Promise<Versioned | undefined> {
        return lagging.reads-- > 0 ? Promise.resolve(lagging.head) : super.readHead();
      }
    }
    const { registry } = open(engine, () => new LaggingStore(engine));
    await registry.recover(MASTER);
    await registry.apply(admit("a"));
    for (const head of [undefined, engine.head]) {
      await registry.apply(admit(`${head?.version}`));
      // Until it is written to: what it answers to that it has heard of.
      Object.assign(lagging, { head, reads: 1 });
      await registry.recover(MASTER);
    }
    expect((await registry.peek())?.slaves?.slaves).to.have.length(3);
  });

  it("is not used any further once its servers have lost it, or the last write", async () => {
    const engine = new ModelEngine();
    const { registry } = open(engine);
    await registry.recover(MASTER);
    await registry.apply(admit("a"));
    const early = { head: engine.head, values: new Map(engine.values) };
    await registry.apply(admit("b"));
    const last = { head: engine.head, values: new Map(engine.values) };
    for (const [lost, problem] of [
      [{ head: undefined, values: new Map() }, "it is gone; its servers have lost data"],
      [early, "it is older than what this master has seen of it; its servers have lost data"],
    ] as const) {
      put(engine, lost);
      const error = await failureOf(registry.recover(MASTER));
      expect(error).to.include({ code: "TEPUI_REGISTRY_UNREADABLE" });
      expect(String(error)).to.contain(problem);
      expect(new Map(engine.values), "nothing was written to it").to.deep.equal(lost.values);
    }
    put(engine, last);
    const { slaves } = await registry.recover(MASTER);
    expect(slaves?.slaves.map(({ info }) => info?.id?.value)).to.deep.equal(["a", "b"]);
    // A process that knows nothing of that begins with what there is.
    put(engine, { head: undefined, values: new Map() });
    expect((await open(engine).registry.recover(MASTER)).slaves).to.equal(undefined);
  });

  it("answers readers sooner than a recovery may take", async () => {
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

function put(
  engine: ModelEngine,
  { head, values }: { head: ModelEngine["head"]; values: ReadonlyMap<string, Buffer> },
) {
  engine.head = head;
  engine.values.clear();
  for (const [name, data] of values) engine.values.set(name, data);
}
