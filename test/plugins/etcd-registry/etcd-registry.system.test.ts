import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { EtcdStore } from "../../../plugins/etcd-registry/etcd-store.js";
import { firstContact } from "../../../plugins/etcd-registry/first-contact.js";
import { AgentInfo } from "../../../proto/gen/mesos/v1/mesos.js";
import { MetricsRegistry } from "../../../sdk/contracts/metrics-registry.js";
import { SystemClock } from "../../../sdk/contracts/system-clock.js";
import { SystemRandom } from "../../../sdk/contracts/system-random.js";
import { EtcdClient, parseEtcdUrl } from "../../../sdk/etcd/index.js";
import { RegistryMetrics, SharedRegistry } from "../../../sdk/registry/index.js";
import { MemoryLogger } from "../../../sdk/testing/memory-logger.js";
import { type RegistrySubject, registrySuite } from "../../../sdk/testing/registry-suite.js";
import { type EtcdCluster, requireEtcd, startEtcd } from "../../support/etcd-cluster.js";
import { requirePart } from "../../support/require-part.js";

const MASTER = { id: "m", capabilities: [] };
const agent = (id: string, hostname = "h"): AgentInfo =>
  AgentInfo.fromPartial({ id: { value: id }, hostname });

const clock = new SystemClock();
const random = new SystemRandom();

describe("the registry in etcd", function () {
  this.timeout(60_000);
  let cluster: EtcdCluster;
  let clients: EtcdClient[] = [];
  let paths = 0;

  before(async function () {
    requireEtcd(this);
    cluster = await startEtcd(3);
  });
  after(() => cluster?.stop());
  afterEach(async () => {
    await Promise.all(clients.map((client) => client.close()));
    clients = [];
  });

  function connect(authority = cluster.servers): EtcdClient {
    const client = new EtcdClient({ ...parseEtcdUrl(`etcd://${authority}/x`), clock, timeout: 1000 });
    clients.push(client);
    return client;
  }

  function open(path: string, options: { entries?: number; storeTimeout?: number } = {}): SharedRegistry {
    const client = connect();
    return new SharedRegistry({
      store: () => new EtcdStore({ client, path, clock }),
      engine: "etcd",
      url: path,
      clock,
      random,
      logger: new MemoryLogger(),
      metrics: new RegistryMetrics(new MetricsRegistry(clock)),
      fetchTimeout: options.storeTimeout ?? 20_000,
      storeTimeout: options.storeTimeout ?? 20_000,
      ...(options.entries !== undefined && { compactionEntries: options.entries }),
    });
  }

  const fresh = (): string => `/registry-${++paths}`;

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

  const admitted = async (registry: SharedRegistry) =>
    ((await registry.recover(MASTER)).slaves?.slaves ?? []).map(({ info }) => info?.id?.value);

  it("finds everything again after many snapshots, and keeps few keys", async () => {
    const path = fresh();
    const first = open(path, { entries: 5 });
    await first.recover(MASTER);
    for (let i = 0; i < 40; i++) await first.apply({ kind: "admit-agent", agent: agent(`${i}`) });
    await first.apply({ kind: "remove-agent", agentId: { value: "7" } });
    await first.close();
    expect(await admitted(open(path))).to.deep.equal(
      Array.from({ length: 40 }, (_, i) => `${i}`).filter((id) => id !== "7"),
    );
    expect((await connect().keys(`${path}/`)).length).to.be.below(10);
  });

  it("keeps more than a value can hold, and a single fact that is larger than one", async () => {
    const path = fresh();
    const first = open(path, { entries: 1 });
    await first.recover(MASTER);
    const long = "x".repeat(300_000);
    await Promise.all(
      Array.from({ length: 12 }, (_, i) => first.apply({ kind: "admit-agent", agent: agent(`${i}`, long) })),
    );
    const longest = "y".repeat(2_000_000);
    await first.apply({ kind: "admit-agent", agent: agent("last", longest) });
    await first.close();
    const found = await open(path).recover(MASTER);
    expect(found.slaves?.slaves).to.have.length(13);
    expect(found.slaves?.slaves[11]?.info?.hostname).to.equal(long);
    expect(found.slaves?.slaves[12]?.info?.hostname).to.equal(longest);
  });

  it("takes no more changes of a master that another has followed", async () => {
    const path = fresh();
    const [old, young] = [open(path), open(path)];
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

  it("stores each change once while servers are killed and stand still", async () => {
    const path = fresh();
    const registry = open(path, { entries: 7 });
    await registry.recover(MASTER);
    let last = -1;
    const writing = (async () => {
      for (let i = 0; i < 60; i++) {
        expect(await registry.apply({ kind: "admit-agent", agent: agent(`${i}`) })).to.equal(true);
        last = i;
      }
    })();
    const passed = async (before: number) => {
      while (last <= before && last < 59) await new Promise((resolve) => setTimeout(resolve, 5));
    };
    for (const [i, node] of cluster.nodes.entries()) {
      const before = last;
      if (i === 1) node.freeze();
      else await node.kill();
      await passed(before);
      if (i === 1) node.thaw();
      else node.start();
      await cluster.ready();
    }
    await writing;
    await registry.close();
    expect(await admitted(open(path))).to.deep.equal(Array.from({ length: 60 }, (_, i) => `${i}`));
  });

  it("gives a change up after the store's time limit when there is no majority, and goes on when there is one", async () => {
    const path = fresh();
    const registry = open(path, { storeTimeout: 1500 });
    await registry.recover(MASTER);
    await registry.apply({ kind: "admit-agent", agent: agent("a") });
    const [first, second] = cluster.nodes;
    await Promise.all([first!.kill(), second!.kill()]);
    try {
      const stored = await registry
        .apply({ kind: "admit-agent", agent: agent("b") })
        .catch((error: unknown) => error);
      expect(stored).to.include({ code: "TEPUI_REGISTRY_WRITE_FAILED" });
      expect(String(stored)).to.contain("no answer from etcd within 1500 ms");
      const read = await registry.recover(MASTER).catch((error: unknown) => error);
      expect(read).to.include({ code: "TEPUI_REGISTRY_UNREADABLE" });
    } finally {
      first!.start();
      second!.start();
      await cluster.ready();
    }
    const [a, ...others] = await admitted(registry);
    expect(a).to.equal("a");
    // It was not acknowledged, and may have been stored.
    expect(others.length).to.be.below(2);
  });

  it("says what is wrong with a registry that it cannot read, and leaves it", async () => {
    const client = connect();
    const path = fresh();
    for (const [data, text] of [
      ["{", "its header is no JSON object"],
      ['{"format":9}', "its header has format 9, this program reads format 1"],
      ['{"format":1,"generation":3,"chunks":1,"bytes":1,"crc":0,"first":1}', "part 1 of 1 of its snapshot"],
    ] as const) {
      await client.transaction([], [{ kind: "put", key: path, data: Buffer.from(data) }]);
      const error = await open(path)
        .recover(MASTER)
        .catch((thrown: unknown) => thrown);
      expect(error).to.include({ code: "TEPUI_REGISTRY_UNREADABLE" });
      expect(String(error)).to.contain(text);
      expect((await client.get(path))?.data.toString()).to.equal(data);
    }
  });

  it("asks with user and password, again when its token is no longer known, and says so when they are wrong", async () => {
    const root = connect(`root:secret@${cluster.servers}`);
    const post = async (path: string, body: object) => {
      const [, port] = /:(\d+)/.exec(cluster.servers)!;
      const answer = await fetch(`http://127.0.0.1:${port}/v3/auth/${path}`, {
        method: "POST",
        body: JSON.stringify(body),
      });
      expect(answer.status, await answer.text()).to.equal(200);
    };
    await post("user/add", { name: "root", password: "secret" });
    await post("user/grant", { user: "root", role: "root" });
    await post("user/add", { name: "guest", password: "guest" });
    await post("enable", {});
    const contact = (authority: string) => {
      const store = new EtcdStore({ client: connect(authority), path: "/auth", clock });
      return firstContact({ store, url: "etcd://there/auth", limit: 10_000, clock }).then(
        () => "contact",
        (error: unknown) => String(error),
      );
    };
    try {
      expect(await contact(`root:secret@${cluster.servers}`)).to.equal("contact");
      for (const authority of ["root:wrong@", "guest:guest@", ""]) {
        const text = await contact(`${authority}${cluster.servers}`);
        expect(text).to.contain("etcd does not let this daemon use its keys").and.to.not.contain("wrong@");
      }
      await root.get("/auth");
      // Servers forget their tokens when they start again.
      for (const node of cluster.nodes) {
        await node.kill();
        node.start();
      }
      await cluster.ready();
      const store = new EtcdStore({ client: root, path: "/auth", clock });
      expect(await store.persist(() => store.readHead())).to.equal(undefined);
    } finally {
      const store = new EtcdStore({ client: root, path: "/auth", clock });
      const off = { kind: "put", key: "/auth/last", data: Buffer.from("x") } as const;
      await store.persist(() => root.transaction([], [off]));
    }
  });
});

describe("the registry in etcd, over TLS", function () {
  this.timeout(60_000);
  let folder: string;
  let cluster: EtcdCluster | undefined;

  before(function () {
    requireEtcd(this);
    requirePart(this, "openssl", "openssl");
    folder = mkdtempSync(join(tmpdir(), "tepui-etcd-tls-"));
  });
  after(async () => {
    await cluster?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  it("is there for who has a certificate, and for nobody else", async () => {
    const [key, cert] = [join(folder, "key.pem"), join(folder, "cert.pem")];
    const name = ["-subj", "/CN=test", "-addext", "subjectAltName=IP:127.0.0.1"];
    const files = ["-keyout", key, "-out", cert];
    execFileSync(
      "openssl",
      ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", ...files, ...name],
      {
        stdio: "ignore",
      },
    );
    const tls = { ca: cert, cert, key };
    cluster = await startEtcd(1, tls);
    const url = parseEtcdUrl(`etcds://${cluster.servers}/x`);
    const known = new EtcdClient({ ...url, tls, clock });
    const unknown = new EtcdClient({ ...url, tls: { ca: cert }, clock });
    const missing = new EtcdClient({ ...url, tls: { ca: join(folder, "none.pem") }, clock });
    try {
      const store = new EtcdStore({ client: known, path: "/x", clock });
      expect(await store.persist(() => store.readHead())).to.equal(undefined);
      const errorOf = (client: EtcdClient) =>
        client.get("/x").then(String, (error: unknown) => String(error));
      expect(await errorOf(unknown)).to.match(/certificate|closed|socket/i);
      expect(await errorOf(missing)).to.contain("none.pem");
    } finally {
      await Promise.all([known.close(), unknown.close(), missing.close()]);
    }
  });
});
