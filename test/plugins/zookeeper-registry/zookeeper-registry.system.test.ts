import { expect } from "chai";
import { ZooKeeperStore } from "../../../plugins/zookeeper-registry/zookeeper-store.js";
import { AgentInfo } from "../../../proto/gen/mesos/v1/mesos.js";
import { MetricsRegistry } from "../../../sdk/contracts/metrics-registry.js";
import { SystemClock } from "../../../sdk/contracts/system-clock.js";
import { SystemRandom } from "../../../sdk/contracts/system-random.js";
import { RegistryMetrics, SharedRegistry } from "../../../sdk/registry/index.js";
import { MemoryLogger } from "../../../sdk/testing/memory-logger.js";
import { type RegistrySubject, registrySuite } from "../../../sdk/testing/registry-suite.js";
import { OPEN_ACCESS, parseZooKeeperUrl, ZooKeeperClient } from "../../../sdk/zookeeper/index.js";
import { type Ensemble, requireZooKeeper, startEnsemble } from "../../support/zookeeper-ensemble.js";

const MASTER = { id: "m", capabilities: [] };
const agent = (id: string, hostname = "h"): AgentInfo =>
  AgentInfo.fromPartial({ id: { value: id }, hostname });

describe("the registry in ZooKeeper", function () {
  this.timeout(60_000);
  let ensemble: Ensemble;
  let clients: ZooKeeperClient[] = [];
  let paths = 0;

  before(async function () {
    requireZooKeeper(this);
    ensemble = await startEnsemble(3);
  });
  after(() => ensemble?.stop());
  afterEach(async () => {
    await Promise.all(clients.map((client) => client.close()));
    clients = [];
  });

  const clock = new SystemClock();
  const random = new SystemRandom();

  async function connect(): Promise<ZooKeeperClient> {
    const { servers } = parseZooKeeperUrl(`zk://${ensemble.servers}/x`);
    const logger = new MemoryLogger();
    const client = new ZooKeeperClient({ servers, sessionTimeout: 4000, clock, random, logger });
    clients.push(client);
    await new Promise<void>((resolve) => {
      client.listen({ connected: () => resolve() });
      client.start();
    });
    return client;
  }

  async function open(path: string, compactionEntries?: number, timeout = 20_000): Promise<SharedRegistry> {
    const client = await connect();
    return new SharedRegistry({
      store: () => new ZooKeeperStore({ client, path, access: OPEN_ACCESS }),
      engine: "ZooKeeper",
      url: path,
      clock,
      random,
      logger: new MemoryLogger(),
      metrics: new RegistryMetrics(new MetricsRegistry(clock)),
      fetchTimeout: timeout,
      storeTimeout: timeout,
      ...(compactionEntries === undefined ? {} : { compactionEntries }),
    });
  }

  const fresh = (): string => `/registry-${++paths}`;

  async function subject(path = fresh()): Promise<RegistrySubject> {
    const registry = await open(path);
    return {
      registry,
      close: () => registry.close(),
      reopen: async () => {
        await registry.close();
        return subject(path);
      },
    };
  }

  for (const { name, run } of registrySuite(() => subject())) it(name, run);

  const admitted = async (registry: SharedRegistry) =>
    ((await registry.recover(MASTER)).slaves?.slaves ?? []).map(({ info }) => info?.id?.value);

  it("finds everything again after many snapshots, and keeps few nodes", async () => {
    const path = fresh();
    const first = await open(path, 5);
    await first.recover(MASTER);
    for (let i = 0; i < 40; i++) await first.apply({ kind: "admit-agent", agent: agent(`${i}`) });
    await first.apply({ kind: "remove-agent", agentId: { value: "7" } });
    await first.close();
    expect(await admitted(await open(path))).to.deep.equal(
      Array.from({ length: 40 }, (_, i) => `${i}`).filter((id) => id !== "7"),
    );
    const nodes = await (await connect()).getChildren(path);
    expect(nodes.length).to.be.below(10);
  });

  it("keeps more than a node can hold", async () => {
    const path = fresh();
    const first = await open(path, 1);
    await first.recover(MASTER);
    const long = "x".repeat(300_000);
    await Promise.all(
      Array.from({ length: 12 }, (_, i) => first.apply({ kind: "admit-agent", agent: agent(`${i}`, long) })),
    );
    await first.apply({ kind: "admit-agent", agent: agent("last") });
    await first.close();
    const found = await (await open(path)).recover(MASTER);
    expect(found.slaves?.slaves).to.have.length(13);
    expect(found.slaves?.slaves[11]?.info?.hostname).to.equal(long);
  });

  it("takes no more changes of a master that another has followed", async () => {
    const path = fresh();
    const [old, young] = [await open(path), await open(path)];
    await old.recover(MASTER);
    await old.apply({ kind: "admit-agent", agent: agent("a") });
    expect(await admitted(young)).to.deep.equal(["a"]);
    const refused = await old
      .apply({ kind: "admit-agent", agent: agent("b") })
      .catch((error: unknown) => error);
    expect(refused).to.include({ code: "TEPUI_REGISTRY_WRITE_FAILED" });
    expect(String(refused)).to.contain("another master has taken the registry over");
    expect(await young.apply({ kind: "admit-agent", agent: agent("c") })).to.equal(true);
    // It may lead again.
    expect(await admitted(old)).to.deep.equal(["a", "c"]);
  });

  it("stores each change once while servers come and go", async () => {
    const path = fresh();
    const registry = await open(path, 7);
    await registry.recover(MASTER);
    let last = -1;
    const writing = (async () => {
      for (let i = 0; i < 60; i++) {
        expect(await registry.apply({ kind: "admit-agent", agent: agent(`${i}`) })).to.equal(true);
        last = i;
      }
    })();
    for (const node of ensemble.nodes) {
      const before = last;
      await node.kill();
      while (last <= before && last < 59) await new Promise((resolve) => setTimeout(resolve, 5));
      node.start();
      await ensemble.ready();
    }
    await writing;
    await registry.close();
    expect(await admitted(await open(path))).to.deep.equal(Array.from({ length: 60 }, (_, i) => `${i}`));
  });

  it("gives up after the time limits when there is no majority, and goes on when there is one", async () => {
    const path = fresh();
    const registry = await open(path, undefined, 1500);
    await registry.recover(MASTER);
    await registry.apply({ kind: "admit-agent", agent: agent("a") });
    const [first, second] = ensemble.nodes;
    await Promise.all([first!.kill(), second!.kill()]);
    try {
      const stored = await registry
        .apply({ kind: "admit-agent", agent: agent("b") })
        .catch((error: unknown) => error);
      expect(stored).to.include({ code: "TEPUI_REGISTRY_WRITE_FAILED" });
      expect(String(stored)).to.contain("no answer from ZooKeeper within 1500 ms");
      const read = await registry.recover(MASTER).catch((error: unknown) => error);
      expect(read).to.include({ code: "TEPUI_REGISTRY_UNREADABLE" });
      expect(String(read)).to.contain("no answer from ZooKeeper within 1500 ms");
    } finally {
      first!.start();
      second!.start();
      await ensemble.ready();
    }
    const again = await open(path);
    const [a, ...others] = await admitted(again);
    expect(a).to.equal("a");
    // It was not acknowledged, and may have been stored.
    expect(others.length).to.be.below(2);
  });

  it("says what is wrong with a registry that it cannot read", async () => {
    const client = await connect();
    const path = fresh();
    for (const [data, text] of [
      ["{", "its header is no JSON object"],
      ['{"format":9}', "its header has format 9, this program reads format 1"],
      ['{"format":1,"generation":-1}', "its header has no sound 'generation'"],
      [
        '{"format":1,"generation":3,"chunks":1,"bytes":1,"crc":0,"first":1}',
        "part 1 of 1 of its snapshot is missing",
      ],
    ] as const) {
      if (await client.exists(path)) await client.setData({ path, data: Buffer.from(data) });
      else await client.create({ path, data: Buffer.from(data), access: OPEN_ACCESS });
      const error = await (await open(path)).recover(MASTER).catch((thrown: unknown) => thrown);
      expect(error).to.include({ code: "TEPUI_REGISTRY_UNREADABLE" });
      expect(String(error)).to.contain(text);
      // Nothing was repaired or removed.
      expect((await client.getData(path)).data.toString()).to.equal(data);
    }
  });
});
