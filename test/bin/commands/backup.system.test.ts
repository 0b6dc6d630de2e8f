import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { cp, mkdir, mkdtemp, readdir, readFile, readlink, rm, symlink, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { runBackup } from "../../../bin/commands/backup.js";
import { runRestore } from "../../../bin/commands/restore.js";
import { peekRegistry, writeRegistry } from "../../../plugins/embedded-registry/offline.js";
import { EtcdStore } from "../../../plugins/etcd-registry/etcd-store.js";
import { Registry } from "../../../proto/gen/mesos/internal/registry.js";
import { AgentInfo } from "../../../proto/gen/mesos/v1/mesos.js";
import { MetricsRegistry } from "../../../sdk/contracts/metrics-registry.js";
import { SystemClock } from "../../../sdk/contracts/system-clock.js";
import { SystemRandom } from "../../../sdk/contracts/system-random.js";
import { EtcdClient, parseEtcdUrl } from "../../../sdk/etcd/index.js";
import {
  applyOperation,
  emptyFacts,
  type RegistryFacts,
  RegistryMetrics,
  SharedRegistry,
  stateOf,
} from "../../../sdk/registry/index.js";
import { Resources } from "../../../sdk/resources/index.js";
import { MemoryLogger } from "../../../sdk/testing/memory-logger.js";
import { getJson } from "../../support/cluster.js";
import { type Daemon, startDaemon } from "../../support/daemons.js";
import { type EtcdCluster, requireEtcd, startEtcd } from "../../support/etcd-cluster.js";
import { eventually } from "../../support/eventually.js";
import { type Ensemble, requireZooKeeper, startEnsemble } from "../../support/zookeeper-ensemble.js";

const root = new URL("../../../..", import.meta.url).pathname;

function sink() {
  let text = "";
  return { write: (chunk: string | Uint8Array) => (text += String(chunk)), text: () => text };
}

interface Outcome {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

async function backup(from: string, file: string, timeout = 20_000): Promise<Outcome> {
  const [stdout, stderr] = [sink(), sink()];
  const code = await runBackup({ from, file, timeout }, { stdout, stderr });
  return { code, out: stdout.text(), err: stderr.text() };
}

async function restore(file: string, to?: string, options: { force?: boolean; timeout?: number } = {}) {
  const { force = false, timeout = 20_000 } = options;
  const [stdout, stderr] = [sink(), sink()];
  const code = await runRestore({ file, to, force, timeout }, { stdout, stderr });
  return { code, out: stdout.text(), err: stderr.text() };
}

async function tepui(...args: readonly string[]): Promise<Outcome> {
  const child = spawn(process.execPath, [join(root, "bin/tepui"), ...args], {
    env: { ...process.env, NO_COLOR: "1" },
  });
  const [out, err] = [sink(), sink()];
  child.stdout.on("data", out.write);
  child.stderr.on("data", err.write);
  const [code] = (await once(child, "close")) as [number];
  return { code, out: out.text(), err: err.text() };
}

function someFacts(): RegistryFacts {
  const facts = emptyFacts();
  for (let i = 0; i < 2000; i++) {
    const agent = AgentInfo.fromPartial({ id: { value: `agent-${i}` }, hostname: `h${i}`.repeat(50) });
    applyOperation(facts, { kind: "admit-agent", agent });
  }
  const agentId = { value: "agent-7" };
  applyOperation(facts, { kind: "mark-agent-unreachable", agentId, time: { nanoseconds: 5n } });
  applyOperation(facts, { kind: "update-weights", weights: [{ role: "r", weight: 2 }] });
  return facts;
}

const text = (facts: RegistryFacts | undefined): string =>
  facts === undefined ? "none" : Buffer.from(Registry.encode(stateOf(facts)).finish()).toString("base64");

describe("tepui backup and restore", function () {
  this.timeout(120_000);
  let folder: string;
  let file: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "tepui-backup-"));
    file = join(folder, "backup.tar");
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it("say in one line what is wrong with their arguments, with exit code 2", async () => {
    for (const args of [
      ["backup"],
      ["backup", "x"],
      ["restore"],
      ["backup", "a", "b", "--timeout=x"],
      ["restore", "--frce", "x"],
    ]) {
      const { code, out, err } = await tepui(...args);
      expect(code, args.join(" ")).to.equal(2);
      expect(out).to.equal("");
      expect(err.trim().split("\n")[0]).to.match(/^error: /);
    }
    const help = (await tepui("--help")).out;
    expect(help).to.contain("backup").and.to.contain("restore");
  });

  it("say what is wrong with a place or a file, with exit code 1", async () => {
    await mkdir(join(folder, "empty"));
    await writeFile(join(folder, "file"), "x");
    for (const [from, problem] of [
      [join(folder, "none"), "there is no such directory"],
      [join(folder, "empty"), "neither the registry of a master nor the memory of an agent"],
      ["zk://h:x/m", "is not host:port"],
      ["etcd://user:secret@h:0/m", "no valid port"],
      ["mysql://h/m", "mysql:// is none of zk://"],
    ] as const) {
      const { code, err } = await backup(from, file);
      expect(code).to.equal(1);
      expect(err).to.contain(problem).and.to.not.contain("secret");
    }
    expect((await restore(join(folder, "file"))).err).to.contain("cut short");
    expect((await restore(join(folder, "none"))).err).to.equal(
      `tepui restore: ${join(folder, "none")}: there is no such file\n`,
    );
    expect((await readdir(folder)).sort()).to.deep.equal(["empty", "file"]);
  });

  it("give up on servers that do not answer, in time", async () => {
    for (const from of ["zk://127.0.0.1:1/m", "etcd://127.0.0.1:1/m"]) {
      const { code, err } = await backup(from, file, 500);
      expect(code).to.equal(1);
      expect(err).to.match(/no answer from (ZooKeeper|etcd) within 500 ms/);
    }
    expect(existsSync(file)).to.equal(false);
  });

  it("check everything before they write, and never overwrite unasked", async () => {
    const facts = someFacts();
    const [from, to] = [join(folder, "from"), join(folder, "to")];
    await writeRegistry(join(from, "registry"), facts);
    expect((await backup(from, file)).out).to.contain("1999 agents admitted, 1 unreachable, 0 gone");
    expect((await backup(from, file)).err).to.contain("exists already");
    expect((await restore(file)).out).to.contain("is whole");

    const damaged = Buffer.from(await readFile(file));
    damaged.writeUInt8(damaged.readUInt8(2000) ^ 1, 2000);
    await writeFile(`${file}.bad`, damaged);
    expect((await restore(`${file}.bad`, to)).err).to.contain("'registry.record' is not what was saved");
    expect(existsSync(to)).to.equal(false);

    expect((await restore(file, to)).code).to.equal(0);
    expect(text(await peekRegistry(join(to, "registry")))).to.equal(text(facts));
    const again = await restore(file, to);
    expect(again.code).to.equal(1);
    expect(again.err).to.contain("is not empty; with --force it is moved aside");
    const forced = await restore(file, to, { force: true });
    expect(forced.out).to.contain("what was there before is in");
    const [aside] = (await readdir(to)).filter((name) => name.startsWith("registry.before-"));
    expect(text(await peekRegistry(join(to, aside!)))).to.equal(text(facts));
  });

  it("take over the registry of a master of Mesos that runs, over HTTP", async () => {
    // As Mesos 1.12 tells it, in shortened form; the agent is deactivated, another one is gone.
    const agent = {
      deactivated: true,
      info: {
        checkpoint: true,
        hostname: "h1",
        id: { value: "m-S0" },
        port: 5051,
        resources: [
          { name: "cpus", role: "web", scalar: { value: 2 }, type: "SCALAR" },
          { name: "mem", role: "*", scalar: { value: 4096 }, type: "SCALAR" },
        ],
      },
    };
    const registry = {
      gone: { slaves: [{ id: { value: "m-S1" }, timestamp: { nanoseconds: 1795412331003456000 } }] },
      machines: { machines: [{ info: { id: { hostname: "hx", ip: "10.0.0.9" }, mode: "DRAINING" } }] },
      master: { info: { id: "m", ip: 16777343, port: 5050 } },
      minimum_capabilities: [{ capability: "QUOTA_V2" }],
      quota_configs: [{ role: "q", guarantees: { cpus: { value: 1 } }, limits: { cpus: { value: 2 } } }],
      slaves: { slaves: [agent] },
      weights: [{ info: { role: "web", weight: 2.5 } }],
    };
    let answer: { status: number; body: string } = { status: 200, body: JSON.stringify(registry) };
    const asked: (string | undefined)[] = [];
    const master = createServer((request, reply) => {
      asked.push(`${request.url} ${request.headers.authorization}`);
      reply.writeHead(answer.status, { "content-type": "application/json" }).end(answer.body);
    });
    master.listen(0, "127.0.0.1");
    await once(master, "listening");
    const { port } = master.address() as AddressInfo;
    const url = `http://127.0.0.1:${port}`;
    try {
      const saved = await backup(`http://ops:p%40ss@127.0.0.1:${port}`, file);
      expect(saved.out).to.contain("1 agents admitted, 0 unreachable, 1 gone");
      const basic = Buffer.from("ops:p@ss").toString("base64");
      expect(asked).to.deep.equal([`/registrar(1)/registry Basic ${basic}`]);
      const work = join(folder, "work");
      expect((await restore(file, work)).code).to.equal(0);
      const facts = await peekRegistry(join(work, "registry"));
      const [admitted] = facts!.admitted.values();
      expect(admitted!.deactivated).to.equal(true);
      expect(Resources.of(admitted!.info!.resources).toString()).to.equal(
        "cpus(reservations: [(STATIC,web)]):2; mem:4096",
      );
      expect([...facts!.gone.keys()]).to.deep.equal(["m-S1"]);
      expect(facts!.rest.weights[0]!.info!.weight).to.equal(2.5);
      expect(facts!.rest.quota_configs[0]!.role).to.equal("q");
      expect(facts!.rest.machines!.machines[0]!.info!.id!.hostname).to.equal("hx");

      const inUse = await restore(file, url, { force: true });
      expect([inUse.code, inUse.err]).to.deep.equal([
        1,
        `tepui restore: ${url}: a master that runs takes no registry; name the place where it keeps it\n`,
      ]);
      for (const [status, body, problem] of [
        [200, "{}", `${url}: there is no registry`],
        [401, "no\nmore", `${url}: its registry cannot be read: it answered 401: no`],
        [200, "<html>", `${url}: its registry cannot be read: `],
      ] as const) {
        answer = { status, body };
        const { code, err } = await backup(url, join(folder, "other"));
        expect([code, err]).to.satisfy(([c, e]: [number, string]) => c === 1 && e.includes(problem), err);
      }
    } finally {
      master.closeAllConnections();
      master.close();
    }
  });

  it("save a running master, and bring its agents back", async () => {
    const master = await startDaemon("mesos-master", ["--hostname=127.0.0.1"]);
    let agent: Daemon | undefined;
    let second: Daemon | undefined;
    try {
      agent = await startDaemon("mesos-agent", [
        `--master=127.0.0.1:${master.port}`,
        "--registration_backoff_factor=10ms",
        "--resources=cpus:1;mem:128",
      ]);
      const id = await eventually(async () => {
        const { slaves } = (await getJson(master, "/master/slaves")) as { slaves: { id: string }[] };
        return slaves[0]?.id;
      });
      const work = workDirOf(master);
      expect((await backup(work, file)).out).to.contain("1 agents admitted");
      // A master that runs keeps its directory.
      const refused = await restore(file, work, { force: true });
      expect(refused.err).to.contain("another process uses");
      expect(await readdir(work)).to.deep.equal(["registry"]);
      // The plain copy that the guide makes.
      const copy = join(folder, "copy");
      await mkdir(copy);
      await cp(join(work, "registry"), join(copy, "registry"), { recursive: true });
      const restored = join(folder, "restored");
      expect((await restore(file, restored)).code).to.equal(0);
      for (const directory of [restored, copy]) {
        second = await startDaemon("mesos-master", ["--hostname=127.0.0.1", `--work_dir=${directory}`]);
        const running = second;
        const known = await eventually(async () => {
          const found = (await getJson(running, "/master/slaves")) as { recovered_slaves: { id: string }[] };
          return found.recovered_slaves[0]?.id;
        });
        expect(known).to.equal(id);
        await second.stop();
        second = undefined;
      }
    } finally {
      await second?.stop();
      await agent?.stop();
      await master.stop();
    }
  });

  it("save a running agent's memory, and put it back elsewhere", async () => {
    const master = await startDaemon("mesos-master", ["--hostname=127.0.0.1", "--registry=in_memory"]);
    let agent: Daemon | undefined;
    try {
      agent = await startDaemon("mesos-agent", [
        `--master=127.0.0.1:${master.port}`,
        "--registration_backoff_factor=10ms",
        "--resources=cpus:1;mem:128",
      ]);
      const work = workDirOf(agent);
      // The link is the last thing that an agent writes of its registration.
      const latest = await eventually(() => readlink(join(work, "meta/slaves/latest")));
      // Its directory may have another name than the one that it was started with.
      const alias = join(folder, "alias");
      await symlink(work, alias);
      const saved = await backup(alias, file);
      expect(saved.err).to.equal("");
      expect(saved.out).to.contain("what the agent remembers");
      const to = join(folder, "agent");
      expect((await restore(file, to)).err).to.equal("");
      const restoredLatest = await readlink(join(to, "meta/slaves/latest"));
      expect(restoredLatest).to.equal(latest.replace(work, to));
      const info = readFileSync(join(latest, "slave.info"));
      expect(readFileSync(join(restoredLatest, "slave.info")).equals(info)).to.equal(true);
      expect((await restore(file, "zk://127.0.0.1:1/m")).err).to.contain("it is of an agent");

      // Its disk is lost; it comes back as who it was.
      await agent.kill();
      await rm(join(work, "meta"), { recursive: true });
      expect((await restore(file, work)).err).to.equal("");
      agent = await agent.restart();
      const again = agent;
      const id = await eventually(async () => {
        const { slaves } = (await getJson(master, "/master/slaves")) as {
          slaves: { id: string; active: boolean; reregistered_time?: number }[];
        };
        return slaves.find(({ active, reregistered_time }) => active && reregistered_time)?.id;
      }, 30_000);
      expect(latest.endsWith(`/${id}`)).to.equal(true);
      expect(((await getJson(again, "/state")) as { id: string }).id).to.equal(id);
    } finally {
      await agent?.stop();
      await master.stop();
    }
  });

  /** The last one given counts. */
  function workDirOf(daemon: Daemon): string {
    const [folder] = daemon.process.spawnargs.filter((arg) => arg.startsWith("--work_dir=")).slice(-1);
    return folder!.slice("--work_dir=".length);
  }

  describe("between stores", () => {
    let ensemble: Ensemble | undefined;
    let cluster: EtcdCluster | undefined;

    before(async function () {
      requireZooKeeper(this);
      requireEtcd(this);
      [ensemble, cluster] = await Promise.all([startEnsemble(1), startEtcd(1)]);
    });
    after(() => Promise.all([ensemble?.stop(), cluster?.stop()]));

    it("shut the master out that leads while its registry is replaced, as asked", async () => {
      const archive = join(folder, "registry.tar");
      await writeRegistry(join(folder, "from", "registry"), someFacts());
      await backup(join(folder, "from"), archive);
      const clock = new SystemClock();
      const url = `etcd://${cluster!.servers}/busy`;
      const client = new EtcdClient({ ...parseEtcdUrl(url), clock });
      const leader = new SharedRegistry({
        store: () => new EtcdStore({ client, path: "/busy/tepui_registry", clock }),
        engine: "etcd",
        url,
        clock,
        random: new SystemRandom(),
        logger: new MemoryLogger(),
        metrics: new RegistryMetrics(new MetricsRegistry(clock)),
        fetchTimeout: 20_000,
        storeTimeout: 20_000,
      });
      try {
        await leader.recover({ id: "m", capabilities: [] });
        const admit = (id: string) =>
          leader.apply({
            kind: "admit-agent",
            agent: AgentInfo.fromPartial({ id: { value: id }, hostname: "h" }),
          });
        await admit("a");
        // Looking, saving and refusing leave it alone.
        expect((await backup(url, join(folder, "busy.tar"))).code).to.equal(0);
        expect((await restore(archive, url)).code).to.equal(1);
        expect(await admit("b")).to.equal(true);
        expect((await restore(archive, url, { force: true })).code).to.equal(0);
        const refused = await admit("c").catch((error: unknown) => String(error));
        expect(refused).to.contain("another master has taken the registry over");
        const { slaves } = await leader.recover({ id: "m", capabilities: [] });
        expect(slaves?.slaves).to.have.length(1999);
      } finally {
        await leader.close();
        await client.close();
      }
    });

    it("put one in the place of a registry that cannot be read, as asked", async () => {
      const archive = join(folder, "registry.tar");
      const facts = someFacts();
      await writeRegistry(join(folder, "from", "registry"), facts);
      await backup(join(folder, "from"), archive);
      const clock = new SystemClock();
      const url = `etcd://${cluster!.servers}/damaged`;
      const client = new EtcdClient({ ...parseEtcdUrl(url), clock });
      const store = new EtcdStore({ client, path: "/damaged/tepui_registry", clock });
      try {
        await store.makeHead(Buffer.from("{"));
        for (const command of [() => backup(url, join(folder, "no.tar")), () => restore(archive, url)]) {
          const { code, err } = await command();
          expect([code, err]).to.satisfy(
            () => code === 1 && err.includes("its header is no JSON object"),
            err,
          );
        }
        expect((await restore(archive, url)).err).to.contain("with --force it is replaced");
        expect((await store.readHead())!.data.toString()).to.equal("{");
        const done = await restore(archive, url, { force: true });
        expect([done.code, done.err]).to.deep.equal([0, ""]);
        expect(done.out).to.contain("what is replaced cannot be read");
        expect((await backup(url, join(folder, "again.tar"))).code).to.equal(0);
        await restore(join(folder, "again.tar"), join(folder, "back"));
        expect(text(await peekRegistry(join(folder, "back", "registry")))).to.equal(text(facts));
      } finally {
        await client.close();
      }
    });

    it("move a registry from files to ZooKeeper, to etcd and back, whole", async () => {
      const facts = someFacts();
      const directory = join(folder, "from");
      await writeRegistry(join(directory, "registry"), facts);
      const secret = join(folder, "zk");
      await writeFile(secret, `zk://user:secret@${ensemble!.servers}/mesos\n`);
      const places = [
        directory,
        `file://${secret}`,
        `etcd://${cluster!.servers}/mesos`,
        join(folder, "back"),
      ];
      for (const [i, place] of places.slice(0, -1).entries()) {
        const archive = join(folder, `${i}.tar`);
        const saved = await backup(place, archive);
        expect(saved.err).to.equal("");
        expect(saved.out).to.contain("1999 agents admitted, 1 unreachable");
        expect(readFileSync(archive).includes("secret")).to.equal(false);
        expect((await restore(archive, places[i + 1])).err).to.equal("");
        if (i < 2) {
          const again = await restore(archive, places[i + 1]);
          expect(again.err).to.contain("holds a registry with 1999 agents; with --force");
          expect((await restore(archive, places[i + 1], { force: true })).code).to.equal(0);
        }
      }
      expect(text(await peekRegistry(join(folder, "back", "registry")))).to.equal(text(facts));
    });
  });
});
