import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { createTestKernel } from "../../../core/testing/index.js";
import cgroupsIsolators from "../../../plugins/cgroups-isolators/index.js";
import { Isolator } from "../../../sdk/contracts/isolator.js";
import { openCgroups } from "../../../sdk/node-cgroup/index.js";
import { requirePart } from "../../support/require-part.js";
import { CgroupsBench, makeFamily, removeRoot, requireCgroups } from "./support.js";

const ROOT = `tepui-cgroups-start-${process.pid}`;

describe("the cgroup isolators, as the agent starts", () => {
  let directory: string;

  before(async function () {
    await requireCgroups(this, ["cpu", "cpuacct", "memory"]);
  });

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "tepui-cgroups-"));
  });

  afterEach(async () => {
    const host = await openCgroups();
    await removeRoot(host, ROOT);
    await host.close();
    await rm(directory, { recursive: true });
  });

  const start = async (flags: Record<string, unknown>): Promise<string> => {
    const family = makeFamily({ cgroups_root: ROOT, ...flags }, directory);
    try {
      await family.start();
      return "started";
    } catch (error) {
      return String(error);
    } finally {
      await family.stop();
    }
  };

  it("are those that --isolation names, in the order of the flag", async () => {
    const test = await createTestKernel({
      plugins: [cgroupsIsolators],
      target: "agent",
      settings: {
        isolation: "cgroups,posix/mem,cgroups/pids",
        cgroups_root: ROOT,
        work_dir: directory,
        runtime_dir: directory,
      },
    });
    const names = test.kernel.getAll(Isolator).map(({ name }) => name);
    await test.stop();
    expect(names).to.deep.equal(["cgroups/cpu", "cgroups/mem", "cgroups/pids"]);
  });

  it("are left out when it names none", async () => {
    const test = await createTestKernel({
      plugins: [cgroupsIsolators],
      target: "agent",
      settings: { work_dir: directory },
    });
    expect(test.kernel.getAll(Isolator)).to.deep.equal([]);
    await test.stop();
  });

  it("say which controller is missing, and how to get it", async () => {
    // A hierarchy in which nothing is mounted.
    const answer = await start({ isolation: "cgroups/cpu,cgroups/net_cls", cgroups_hierarchy: directory });
    expect(answer).to.match(/'cgroups\/cpu': .*mount.*/);
    expect(answer).to.not.contain("\n");
  });

  it("say what a version of cgroups has not", async () => {
    const host = await openCgroups();
    const other = host.version("io") === 1 ? "io" : "blkio";
    await host.close();
    expect(await start({ isolation: `cgroups/${other}` })).to.contain(
      `'cgroups/${other}': cgroup v${other === "io" ? 2 : 1} has it alone`,
    );
  });

  it("refuse flags that make no sense, each by its name", async () => {
    const parse = (flags: Record<string, unknown>) => () => makeFamily(flags, directory);
    expect(parse({ cgroups_root: "a/../b" })).to.throw("cgroups_root");
    expect(parse({ cgroups_net_cls_primary_handle: "0x12345" })).to.throw("cgroups_net_cls_primary_handle");
    expect(parse({ cgroups_net_cls_secondary_handles: "0,5" })).to.throw("cgroups_net_cls_secondary_handles");
    const device = { device: {}, access: { read: true } };
    expect(parse({ allowed_devices: { allowed_devices: [device] } })).to.throw("no device path provided");
    const useless = { device: { path: "/dev/null" }, access: {} };
    expect(parse({ allowed_devices: { allowed_devices: [useless] } })).to.throw("allowed to be read");
  });

  it("limit swap only where the kernel counts it", async () => {
    const host = await openCgroups();
    const group = host.group(`${ROOT}/swap`, ["memory"]);
    group.create();
    const counts = host.version("memory") === 1 && group.memory.stat().usageWithSwap !== undefined;
    await group.destroy();
    await host.close();
    const answer = await start({ isolation: "cgroups/mem", cgroups_limit_swap: true });
    if (counts) expect(answer).to.equal("started");
    else expect(answer).to.match(/'cgroups\/mem' needs .*--cgroups_limit_swap/);
  });

  it("put the agent into groups of its own under --agent_subsystems", async () => {
    const before = readFileSync("/proc/self/cgroup", "utf8");
    const host = await openCgroups();
    try {
      expect(await start({ isolation: "", agent_subsystems: "cpuacct,memory" })).to.equal("started");
      const name = { 1: "slave", 2: "agent" }[host.version("memory")!];
      expect(host.group(`${ROOT}/${name}`, ["memory"]).processes()).to.include(process.pid);
      expect(readFileSync("/proc/self/cgroup", "utf8")).to.contain(`:cpuacct:/${ROOT}/slave`);
    } finally {
      returnTo(before);
      await host.close();
    }
    expect(await start({ isolation: "", agent_subsystems: "nonsense" })).to.contain(
      "--agent_subsystems has 'nonsense'",
    );
  });

  it("sample only events that perf knows, no longer than the interval", async function () {
    requirePart(this, "perf", "linux-perf");
    const flags = { isolation: "cgroups/perf_event", perf_duration: "1secs", perf_interval: "2secs" };
    expect(await start({ ...flags, perf_events: "task-clock" })).to.equal("started");
    expect(await start({ ...flags, perf_events: "task-clock,power" })).to.contain("and has 'power'");
    expect(await start({ ...flags, perf_events: "task-clock", perf_duration: "3secs" })).to.contain(
      "--perf_interval (2secs)",
    );
    expect(await start(flags), "nothing is sampled").to.equal("started");
  });

  it("are all that the host has under cgroups/all", async () => {
    const bench = await CgroupsBench.open({
      isolation: "cgroups/all,cgroups/mem",
      cgroups_cpu_enable_pids_and_tids_count: true,
    });
    try {
      expect(bench.family.isolators.map(({ name }) => name)).to.deep.equal(["cgroups/all", "cgroups/mem"]);
      const id = await bench.launch("sleep 1000", { resources: "cpus:0.5;mem:48" });
      const usage = await bench.containerizer.usage({ value: id });
      expect(usage).to.include.all.keys("cpus_user_time_secs", "processes", "mem_rss_bytes");
      const group = bench.group(id, ["cpu", "memory", "pids"]);
      expect(group.memory.limit()).to.equal(48 * 1024 * 1024);
      expect(group.pids.current()).to.be.greaterThan(0);
    } finally {
      await bench.close();
    }
  });

  /** Back to the groups that this process was in, `id:controllers:path` each. */
  function returnTo(groups: string): void {
    for (const line of groups.trim().split("\n")) {
      const [, controllers, path] = line.split(":");
      if (!["memory", "cpuacct"].includes(controllers!)) continue;
      execFileSync("sh", [
        "-c",
        'echo "$0" > "$1"',
        String(process.pid),
        `/sys/fs/cgroup/${controllers}${path}/cgroup.procs`,
      ]);
    }
  }

  it("find v1 controllers wherever --cgroups_hierarchy has them, and mark packets with net_cls", async function () {
    requirePart(this, "mount", "mount");
    const mountPoint = join(directory, "net_cls");
    mkdirSync(mountPoint);
    try {
      execFileSync("mount", ["-t", "cgroup", "-o", "net_cls", "net_cls", mountPoint], { stdio: "pipe" });
    } catch {
      // A kernel without it: there is nothing to test.
      this.skip();
    }
    const flags = {
      isolation: "cgroups/net_cls",
      cgroups_hierarchy: directory,
      cgroups_net_cls_primary_handle: "0x0012",
      cgroups_net_cls_secondary_handles: "0x3,0x4",
    };
    try {
      const bench = await CgroupsBench.open(flags, { root: ROOT, directory: join(directory, "agent") });
      const classOf = async (id: string) =>
        (await bench.containerizer.status({ value: id })).cgroup_info?.net_cls?.classid;
      const classId = (id: string) =>
        readFileSync(join(mountPoint, ROOT, id, "net_cls.classid"), "utf8").trim();
      const [one, two] = [await bench.launch("sleep 1000"), await bench.launch("sleep 1000")];
      expect([await classOf(one), await classOf(two)]).to.deep.equal([0x12_0003, 0x12_0004]);
      expect([classId(one), classId(two)]).to.deep.equal([String(0x12_0003), String(0x12_0004)]);
      const refused = await bench.launch("sleep 1000").catch((error) => String(error));
      expect(refused).to.contain("isolator 'cgroups/net_cls' failed to prepare the container");
      await bench.end(one);
      const request = await bench.request("sleep 1000");
      await bench.containerizer.launch(request);
      expect(await classOf(request.containerId.value!)).to.equal(0x12_0003);
      await bench.end(two);
      await bench.abandon();
      const next = await bench.again(flags);
      await next.containerizer.recover([{ request }]);
      const other = await next.launch("sleep 1000");
      expect((await next.containerizer.status(request.containerId)).cgroup_info?.net_cls?.classid).to.equal(
        0x12_0003,
      );
      expect((await next.containerizer.status({ value: other })).cgroup_info?.net_cls?.classid).to.equal(
        0x12_0004,
      );
      await next.close();
    } finally {
      execFileSync("umount", [mountPoint]);
    }
  });
});
