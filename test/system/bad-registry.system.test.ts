import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { writeRegistry } from "../../plugins/embedded-registry/offline.js";
import { AgentInfo } from "../../proto/gen/mesos/v1/mesos.js";
import { applyOperation, emptyFacts } from "../../sdk/registry/index.js";
import { freePort } from "../support/daemons.js";
import { requireEtcd, startEtcd } from "../support/etcd-cluster.js";
import { requireZooKeeper, startEnsemble } from "../support/zookeeper-ensemble.js";

const root = new URL("../../..", import.meta.url).pathname;

/** Waits 1.5 s for what a master waits a minute for. */
const IMPATIENT = `
target: master
extends: master
plugins:
  - use: zookeeper-election
    config: { connect_timeout: 1500ms }
  - use: etcd-registry
    config: { connect_timeout: 1500ms }
`;

describe("a master that cannot have its registry", function () {
  this.timeout(120_000);
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "tepui-bad-registry-"));
    await writeFile(join(folder, "impatient.yaml"), IMPATIENT);
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  /** Runs a master that is expected to end by itself. */
  async function run(...flags: readonly string[]): Promise<{ code: number | null; stderr: string }> {
    const child = spawn(
      process.execPath,
      [
        join(root, "bin/mesos-master"),
        "--ip=127.0.0.1",
        `--port=${await freePort()}`,
        "--grpc_port=0",
        "--hostname=127.0.0.1",
        "--logging_level=ERROR",
        `--work_dir=${join(folder, "work")}`,
        ...flags,
      ],
      { stdio: ["ignore", "ignore", "pipe"] },
    );
    let stderr = "";
    child.stderr.on("data", (text) => (stderr += text));
    const late = setTimeout(() => child.kill("SIGKILL"), 30_000);
    const [code] = (await once(child, "close")) as [number | null];
    clearTimeout(late);
    return { code, stderr };
  }

  const impatient = (...flags: readonly string[]) =>
    run(`--manifest=${join(folder, "impatient.yaml")}`, ...flags);

  for (const [title, damage, problem] of [
    ["damaged in the middle", (file: Buffer) => file.fill(0x55, 100, 110), "is damaged"],
    ["cut off in its first part", (file: Buffer) => file.subarray(0, 60), "is damaged"],
    ["empty", () => Buffer.alloc(0), "it does not begin as a registry does"],
    ["of a newer program", (file: Buffer) => Buffer.from(file).fill(9, 8, 9), "it has format 9"],
  ] as const) {
    it(`because its file is ${title}, says so, ends, and leaves the file`, async () => {
      const directory = join(folder, "work", "registry");
      const facts = emptyFacts();
      for (let i = 0; i < 5; i++) {
        const agent = AgentInfo.fromPartial({ id: { value: `agent-${i}` }, hostname: "h" });
        applyOperation(facts, { kind: "admit-agent", agent });
      }
      await writeRegistry(directory, facts);
      const names = await readdir(directory);
      const path = join(directory, names.find((name) => name.endsWith(".segment"))!);
      const bad = damage(await readFile(path));
      await writeFile(path, bad);
      const { code, stderr } = await run();
      expect(code).to.equal(1);
      expect(stderr).to.contain("The registry cannot be read").and.to.contain(path).and.to.contain(problem);
      expect((await readFile(path)).equals(bad)).to.equal(true);
      expect(await readdir(directory)).to.deep.equal(names);
    });
  }

  for (const [flag, problem] of [
    ["--zk=zk://a,b", "it needs a path"],
    ["--zk=zk://user@a/m", "user:password"],
    ["--zk=http://a/m", "must begin with zk://"],
    ["--registry=etcd://user:hunter2@a:x/m", "is not host:port"],
    ["--registry=etcd://a", "it needs a path"],
    ["--registry=postgres", "must be 'replicated_log' or 'in_memory' or 'etcd://...'"],
    ["--registry_strict", "is refused: Mesos refuses it as well"],
  ] as const) {
    it(`says what is wrong with ${flag.replace("hunter2", "...")}, and ends`, async () => {
      const { code, stderr } = await run(flag);
      expect(code).to.equal(1);
      expect(stderr).to.contain(problem).and.to.not.contain("hunter2");
    });
  }

  it("gives up when no ZooKeeper, and no etcd, is there", async () => {
    const zooKeeper = await impatient("--zk=zk://user:hunter2@127.0.0.1:1,127.0.0.1:2/mesos");
    expect(zooKeeper.code).to.equal(1);
    expect(zooKeeper.stderr).to.contain("The ZooKeeper ensemble cannot be reached");
    expect(zooKeeper.stderr).to.contain("zk://127.0.0.1:1,127.0.0.1:2/mesos: no session within 1500 ms");
    const etcd = await impatient("--registry=etcd://user:hunter2@127.0.0.1:1,127.0.0.1:2/mesos");
    expect(etcd.code).to.equal(1);
    expect(etcd.stderr).to.contain("The etcd cluster cannot be reached");
    expect(etcd.stderr).to.contain(
      "etcd://127.0.0.1:1,127.0.0.1:2/mesos/tepui_registry: no answer within 1500 ms",
    );
    expect(zooKeeper.stderr + etcd.stderr).to.not.contain("hunter2");
  });

  it("gives up on a ZooKeeper that has no majority", async function () {
    requireZooKeeper(this);
    const ensemble = await startEnsemble(3);
    try {
      await Promise.all(ensemble.nodes.slice(1).map((node) => node.kill()));
      const { code, stderr } = await impatient(`--zk=zk://${ensemble.servers}/mesos`);
      expect(code).to.equal(1);
      expect(stderr).to.contain("The ZooKeeper ensemble cannot be reached");
    } finally {
      await ensemble.stop();
    }
  });

  it("gives up on an etcd that has no majority", async function () {
    requireEtcd(this);
    const cluster = await startEtcd(3);
    try {
      await Promise.all(cluster.nodes.slice(1).map((node) => node.kill()));
      const { code, stderr } = await impatient(`--registry=etcd://${cluster.servers}/mesos`);
      expect(code).to.equal(1);
      expect(stderr).to.contain("The etcd cluster cannot be reached");
    } finally {
      await cluster.stop();
    }
  });
});
