import { expect } from "chai";
import fc from "fast-check";
import { MetricsRegistry } from "../../../sdk/contracts/metrics-registry.js";
import { SystemClock } from "../../../sdk/contracts/system-clock.js";
import { SystemRandom } from "../../../sdk/contracts/system-random.js";
import { MemoryLogger } from "../../../sdk/testing/memory-logger.js";
import { SeededRandom } from "../../../sdk/testing/seeded-random.js";
import { VirtualClock } from "../../../sdk/testing/virtual-clock.js";

const UUID_V4 = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

describe("VirtualClock", () => {
  it("runs timers in the order of their times, each at its own time", async () => {
    const clock = new VirtualClock(1000);
    const seen: [string, number][] = [];
    for (const [name, ms] of [
      ["c", 30],
      ["a", 10],
      ["b", 10],
    ] as const) {
      clock.setTimeout(() => seen.push([name, clock.now()]), ms);
    }
    await clock.advance(29);
    expect(seen).to.deep.equal([
      ["a", 1010],
      ["b", 1010],
    ]);
    await clock.advance(1);
    expect(seen.at(-1)).to.deep.equal(["c", 1030]);
    expect(clock.pendingTimers).to.equal(0);
  });

  it("lets promises settle between timers, and runs timers set on the way", async () => {
    const clock = new VirtualClock();
    const seen: string[] = [];
    clock.setTimeout(() => {
      void Promise.resolve()
        .then(() => Promise.resolve())
        .then(() => {
          seen.push("promise");
          clock.setTimeout(() => seen.push("nested"), 5);
        });
    }, 10);
    clock.setTimeout(() => seen.push("later"), 20);
    await clock.advance(20);
    expect(seen).to.deep.equal(["promise", "nested", "later"]);
  });

  it("repeats intervals until they are cancelled, also from inside", async () => {
    const clock = new VirtualClock();
    let ticks = 0;
    const timer = clock.setInterval(() => {
      ticks++;
      if (ticks === 3) timer.cancel();
    }, 100);
    await clock.advance(1000);
    expect(ticks).to.equal(3);
    expect(clock.pendingTimers).to.equal(0);
    expect(() => clock.setInterval(() => {}, 0)).to.throw(RangeError);
  });

  it("never runs a cancelled timer", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(50), fc.boolean())), (timers) => {
        const clock = new VirtualClock();
        const ran: number[] = [];
        for (const [ms, cancel] of timers) {
          const timer = clock.setTimeout(() => ran.push(ms), ms);
          if (cancel) timer.cancel();
        }
        clock.advanceSync(50);
        expect(ran).to.deep.equal(
          timers
            .filter(([, cancel]) => !cancel)
            .map(([ms]) => ms)
            .sort((a, b) => a - b),
        );
        expect(clock.pendingTimers).to.equal(0);
        expect(clock.untilNext).to.equal(undefined);
      }),
    );
  });

  it("advances until a condition holds, or says that it does not", async () => {
    const clock = new VirtualClock();
    let done = false;
    clock.setTimeout(() => {
      done = true;
    }, 500);
    await clock.advanceUntil(() => done, 1000);
    expect(clock.monotonic()).to.equal(500);
    let thrown: unknown;
    await clock
      .advanceUntil(() => false, 10)
      .catch((error: unknown) => {
        thrown = error;
      });
    expect(String(thrown)).to.match(/did not hold within 10 ms/);
  });
});

describe("SystemClock", () => {
  it("fires and cancels, also with delays longer than Node's timers take", async () => {
    const clock = new SystemClock();
    const far = clock.setTimeout(() => expect.fail("a timer of 50 days fired"), 50 * 86_400_000);
    const farInterval = clock.setInterval(() => expect.fail("an interval of 50 days fired"), 50 * 86_400_000);
    await new Promise<void>((resolve) => {
      clock.setTimeout(resolve, 0);
    });
    let ticks = 0;
    await new Promise<void>((resolve) => {
      const timer = clock.setInterval(() => {
        ticks++;
        timer.cancel();
        resolve();
      }, 1);
    });
    far.cancel();
    farInterval.cancel();
    expect(ticks).to.equal(1);
    expect(Math.abs(clock.now() - Date.now())).to.be.lessThan(60_000);
    expect(clock.monotonic()).to.be.at.most(clock.monotonic());
  });
});

describe("Random", () => {
  for (const [name, random] of [
    ["system", new SystemRandom()],
    ["seeded", new SeededRandom(7)],
  ] as const) {
    it(`${name}: numbers in range, v4 uuids, bytes`, () => {
      const uuids = new Set<string>();
      for (let i = 0; i < 200; i++) {
        expect(random.next()).to.be.within(0, 1).and.not.equal(1);
        expect(random.uuid()).to.match(UUID_V4);
        uuids.add(random.uuid());
      }
      expect(uuids.size).to.equal(200);
      expect(random.bytes(5)).to.have.length(5);
    });
  }

  it("repeats itself for a seed, and spreads evenly", () => {
    const draw = (seed: number): number[] => {
      const random = new SeededRandom(seed);
      return Array.from({ length: 1000 }, () => random.next());
    };
    expect(draw(1)).to.deep.equal(draw(1));
    expect(draw(1)).to.not.deep.equal(draw(2));
    const mean = draw(1).reduce((sum, value) => sum + value, 0) / 1000;
    expect(mean).to.be.closeTo(0.5, 0.05);
  });
});

describe("MetricsRegistry", () => {
  it("takes a sorted snapshot of counters and readable gauges", () => {
    const metrics = new MetricsRegistry(new VirtualClock());
    metrics.counter("b/count").inc();
    metrics.counter("b/count").inc(2);
    metrics.counter("a").set(7);
    metrics.gauge("c", () => 1.5);
    metrics.gauge("broken", () => {
      throw new Error("not now");
    });
    metrics.gauge("nan", () => Number.NaN);
    expect([...metrics.snapshot()]).to.deep.equal([
      ["a", 7],
      ["b/count", 3],
      ["c", 1.5],
    ]);
    metrics.gauge("c", () => 2);
    metrics.remove("a");
    expect([...metrics.snapshot()]).to.deep.equal([
      ["b/count", 3],
      ["c", 2],
    ]);
  });

  it("scopes names, and shares what is registered", () => {
    const metrics = new MetricsRegistry(new VirtualClock());
    const view = metrics.scope("plugin/");
    view.counter("calls").inc();
    metrics.counter("other");
    expect([...view.snapshot()]).to.deep.equal([["plugin/calls", 1]]);
    expect([...metrics.snapshot().keys()]).to.deep.equal(["other", "plugin/calls"]);
  });

  it("publishes timers as Mesos does: statistics from the second value on", async () => {
    const clock = new VirtualClock();
    const metrics = new MetricsRegistry(clock);
    const timer = metrics.timer("registrar/state_store");
    expect(metrics.snapshot().size).to.equal(0);
    timer.record(0.995072);
    expect([...metrics.snapshot()]).to.deep.equal([["registrar/state_store_ms", 0.995072]]);
    timer.record(1.821184);
    const snapshot = metrics.snapshot();
    expect(Object.fromEntries(snapshot)).to.include({
      "registrar/state_store_ms": 1.821184,
      "registrar/state_store_ms/count": 2,
      "registrar/state_store_ms/max": 1.821184,
      "registrar/state_store_ms/min": 0.995072,
      "registrar/state_store_ms/p50": 1.408128,
    });
    expect(snapshot.get("registrar/state_store_ms/p90")).to.be.closeTo(1.7385728, 1e-9);
    expect(snapshot.get("registrar/state_store_ms/p9999")).to.be.closeTo(1.8211013888, 1e-9);
    expect(snapshot.size).to.equal(10);

    const stop = timer.start();
    await clock.advance(12);
    expect(stop()).to.equal(12);
    expect(metrics.snapshot().get("registrar/state_store_ms/max")).to.equal(12);
    for (let i = 0; i < 5000; i++) timer.record(i);
    expect(metrics.snapshot().get("registrar/state_store_ms/min")).to.equal(4000);
  });

  it("refuses one name for two types", () => {
    const metrics = new MetricsRegistry(new VirtualClock());
    metrics.counter("a");
    expect(() => metrics.gauge("a", () => 1)).to.throw(/another type: a/);
  });
});

describe("MemoryLogger", () => {
  it("keeps lines of itself and its children with their facts", () => {
    const logger = new MemoryLogger();
    logger.info("one");
    logger.child({ plugin: "x" }).warn({ n: 1 }, "two");
    logger.error({ n: 2 });
    expect(logger.messages()).to.deep.equal(["one", "two", ""]);
    expect(logger.messages("warn")).to.deep.equal(["two"]);
    expect(logger.lines[1]?.fields).to.deep.equal({ plugin: "x", n: 1 });
  });
});
