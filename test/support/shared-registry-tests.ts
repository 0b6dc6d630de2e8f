import { expect } from "chai";
import { AgentInfo } from "../../proto/gen/mesos/v1/mesos.js";
import { MetricsRegistry } from "../../sdk/contracts/metrics-registry.js";
import { SystemClock } from "../../sdk/contracts/system-clock.js";
import { SystemRandom } from "../../sdk/contracts/system-random.js";
import { type FencedStore, RegistryMetrics, SharedRegistry } from "../../sdk/registry/index.js";
import { MemoryLogger } from "../../sdk/testing/memory-logger.js";
import { type RegistrySubject, registrySuite } from "../../sdk/testing/registry-suite.js";
import { eventually } from "./eventually.js";
import type { TestServers } from "./test-servers.js";

/** What keeps the registry of several masters. */
export interface RegistryServers {
  /** As errors name it. */
  readonly engine: string;
  /** Three of them, from the first test on. */
  readonly cluster: () => TestServers;
  /** A connection, which gives views of what is kept below a path; whoever made it closes it after the test. */
  readonly connect: () => (path: string) => FencedStore;
}

const MASTER = { id: "m", capabilities: [] };

const admit = (id: string, hostname = "h") =>
  ({ kind: "admit-agent", agent: AgentInfo.fromPartial({ id: { value: id }, hostname }) }) as const;

const ids = (count: number): string[] => Array.from({ length: count }, (_, i) => `${i}`);

const admitted = async (registry: SharedRegistry) =>
  ((await registry.recover(MASTER)).slaves?.slaves ?? []).map(({ info }) => info?.id?.value);

const failureOf = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => undefined,
    (error: unknown) => error,
  );

/**
 * What the registry of several masters does whatever servers keep it, also while these are killed and stand still. To be called in a
 * `describe`.
 */
export function sharedRegistryTests({ engine, cluster, connect }: RegistryServers): void {
  let paths = 0;
  const fresh = (): string => `/registry-${++paths}`;

  function open(path: string, options: { entries?: number; timeout?: number } = {}): SharedRegistry {
    const clock = new SystemClock();
    const view = connect();
    return new SharedRegistry({
      store: () => view(path),
      engine,
      url: path,
      clock,
      random: new SystemRandom(),
      logger: new MemoryLogger(),
      metrics: new RegistryMetrics(new MetricsRegistry(clock)),
      fetchTimeout: options.timeout ?? 20_000,
      storeTimeout: options.timeout ?? 20_000,
      ...(options.entries !== undefined && { compactionEntries: options.entries }),
    });
  }

  function subject(path = fresh()): RegistrySubject {
    const registry = open(path);
    return {
      registry,
      close: () => registry.close(),
      reopen: async () => {
        await registry.close();
        return subject(path);
      },
    };
  }

  for (const { name, run } of registrySuite(async () => subject())) it(name, run);

  it("finds everything again after many snapshots, and keeps few values", async () => {
    const path = fresh();
    const first = open(path, { entries: 5 });
    await first.recover(MASTER);
    for (const id of ids(40)) await first.apply(admit(id));
    await first.apply({ kind: "remove-agent", agentId: { value: "7" } });
    await first.close();
    expect(await admitted(open(path))).to.deep.equal(ids(40).filter((id) => id !== "7"));
    const store = connect()(path);
    expect((await store.persist(() => store.names())).length).to.be.below(10);
  });

  it("keeps more than a value can hold, and a single fact that is larger than one", async () => {
    const path = fresh();
    const first = open(path, { entries: 1 });
    await first.recover(MASTER);
    const long = "x".repeat(300_000);
    await Promise.all(ids(12).map((id) => first.apply(admit(id, long))));
    const longest = "y".repeat(2_000_000);
    await first.apply(admit("last", longest));
    await first.close();
    const { slaves } = await open(path).recover(MASTER);
    expect(slaves?.slaves).to.have.length(13);
    expect(slaves?.slaves[11]?.info?.hostname).to.equal(long);
    expect(slaves?.slaves[12]?.info?.hostname).to.equal(longest);
  });

  it("takes no more changes of a master that another has followed", async () => {
    const path = fresh();
    const [old, young] = [open(path), open(path)];
    await old.recover(MASTER);
    await old.apply(admit("a"));
    expect(await admitted(young)).to.deep.equal(["a"]);
    const refused = await failureOf(old.apply(admit("b")));
    expect(refused).to.include({ code: "TEPUI_REGISTRY_WRITE_FAILED" });
    expect(String(refused)).to.contain("another master has taken the registry over");
    expect(await young.apply(admit("c"))).to.equal(true);
    // It may lead again.
    expect(await admitted(old)).to.deep.equal(["a", "c"]);
  });

  it("stores each change once while servers are killed and stand still", async () => {
    const path = fresh();
    const registry = open(path, { entries: 7 });
    await registry.recover(MASTER);
    let stored = 0;
    const writing = (async () => {
      for (const id of ids(60)) {
        expect(await registry.apply(admit(id))).to.equal(true);
        stored++;
      }
    })();
    for (const [i, node] of cluster().nodes.entries()) {
      const before = stored;
      const frozen = i === 1;
      if (frozen) node.freeze();
      else await node.kill();
      await eventually(() => stored > before || stored === 60 || undefined, 40_000);
      if (frozen) node.thaw();
      else node.start();
      await cluster().ready();
    }
    await writing;
    await registry.close();
    expect(await admitted(open(path))).to.deep.equal(ids(60));
  });

  it("gives up after the time limits when there is no majority, and goes on when there is one", async () => {
    const path = fresh();
    const registry = open(path, { timeout: 1500 });
    await registry.recover(MASTER);
    await registry.apply(admit("a"));
    const [first, second] = cluster().nodes;
    await Promise.all([first!.kill(), second!.kill()]);
    try {
      const stored = await failureOf(registry.apply(admit("b")));
      expect(stored).to.include({ code: "TEPUI_REGISTRY_WRITE_FAILED" });
      expect(String(stored)).to.contain(`no answer from ${engine} within 1500 ms`);
      const read = await failureOf(registry.recover(MASTER));
      expect(read).to.include({ code: "TEPUI_REGISTRY_UNREADABLE" });
      expect(String(read)).to.contain(`no answer from ${engine} within 1500 ms`);
    } finally {
      first!.start();
      second!.start();
      await cluster().ready();
    }
    const [a, ...others] = await eventually(() => admitted(registry), 30_000);
    expect(a).to.equal("a");
    // It was not acknowledged, and may have been stored.
    expect(others.length).to.be.below(2);
  });

  it("says what is wrong with a registry that it cannot read, and leaves it", async () => {
    for (const [data, text] of [
      ["{", "its header is no JSON object"],
      ['{"format":9}', "its header has format 9, this program reads format 1"],
      ['{"format":1,"generation":-1}', "its header has no sound 'generation'"],
      [
        '{"format":1,"generation":3,"chunks":1,"bytes":1,"crc":0,"first":1}',
        "part 1 of 1 of its snapshot is missing",
      ],
    ] as const) {
      const path = fresh();
      const store = connect()(path);
      await store.persist(() => store.makeHead(Buffer.from(data)));
      const error = await failureOf(open(path).recover(MASTER));
      expect(error).to.include({ code: "TEPUI_REGISTRY_UNREADABLE" });
      expect(String(error)).to.contain(text);
      expect((await store.readHead())?.data.toString()).to.equal(data);
    }
  });
}
