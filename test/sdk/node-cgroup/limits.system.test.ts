import { expect } from "chai";
import { CgroupError, openCgroups } from "../../../sdk/node-cgroup/index.js";
import { eventually, PATIENCE } from "../../support/eventually.js";
import { requireThat } from "../../support/require-part.js";
import { canMakeGroups, TestGroups } from "./test-groups.js";

const MIB = 2 ** 20;
const NEVER = new AbortController().signal;

const host = await openCgroups();

/** Takes this much memory, touches it, and says so. */
const hold = (mebibytes: number): string[] => [
  "perl",
  "-e",
  `$| = 1; my $held = ""; vec($held, (${mebibytes} << 20) - 1, 8) = 1; print "holds\\n"; <STDIN>`,
];

describe("limits of a control group", function () {
  this.timeout(60_000 * PATIENCE);
  let groups: TestGroups;

  before(function () {
    requireThat(this, canMakeGroups(host), "control groups need root");
  });

  beforeEach(async () => {
    groups = await TestGroups.open();
  });

  afterEach(() => groups.close());

  it("give a spinning process no more CPU time than its quota", async () => {
    const group = groups.make("cpu", "cpuacct");
    const [quotaUs, periodUs] = [20_000, 100_000];
    group.cpu.setQuota({ quotaUs, periodUs });
    groups.run(group, "sh", "-c", "while :; do :; done");
    await eventually(() => group.cpu.throttling().throttledPeriods >= 8 || undefined, 30_000);
    const granted = (): number => ((group.cpu.throttling().periods + 1) * quotaUs) / 1e6;
    const least = granted() / 4;
    const { userSeconds, systemSeconds } = group.cpuacct.usage();
    // The kernel hands out slices of some milliseconds, of which each CPU may overrun its last.
    expect(userSeconds + systemSeconds).to.be.within(least, granted() * 1.1 + 0.03);
    expect(group.cpu.throttling().throttledSeconds).to.be.greaterThan(0);
  });

  it("are read back as they were set: CPU", () => {
    const { cpu } = groups.make("cpu");
    expect(cpu.shares()).to.equal(1024);
    cpu.setShares(512);
    expect(cpu.shares()).to.equal(512);
    cpu.setShares(0);
    expect(cpu.shares()).to.be.within(2, 10);
    expect(cpu.quota()).to.equal(undefined);
    cpu.setQuota({ quotaUs: 250_000, periodUs: 50_000 });
    expect(cpu.quota()).to.deep.equal({ quotaUs: 250_000, periodUs: 50_000 });
    cpu.setQuota(undefined);
    expect(cpu.quota()).to.equal(undefined);
  });

  it("are read back as they were set: memory", () => {
    const { memory } = groups.make("memory");
    expect([memory.limit(), memory.softLimit()]).to.deep.equal([undefined, undefined]);
    for (const bytes of [64 * MIB, 128 * MIB, 32 * MIB, undefined, 16 * MIB]) {
      memory.setLimit(bytes, { includingSwap: true });
      expect(memory.limit()).to.equal(bytes);
    }
    for (const bytes of [64 * MIB, undefined]) {
      memory.setSoftLimit(bytes);
      expect(memory.softLimit()).to.equal(bytes);
    }
  });

  it("end a process that takes more memory, tell of it, and let its neighbour live", async () => {
    const [greedy, modest] = [groups.make("memory"), groups.make("memory")];
    greedy.memory.setLimit(32 * MIB, { includingSwap: true });
    const told = greedy.memory.outOfMemory(NEVER);
    const neighbour = groups.run(modest, ...hold(1));
    const process = groups.run(greedy, ...hold(64));
    expect(await process.ended).to.equal("SIGKILL");
    await told;
    expect(greedy.memory.oomKills()).to.equal(1);
    expect(await greedy.memory.outOfMemory(NEVER), "told again to those who ask later").to.deep.equal({
      kills: 1,
    });
    expect(greedy.memory.peak()).to.be.within(24 * MIB, 32 * MIB);
    expect(modest.memory.oomKills()).to.equal(0);
    expect(await neighbour.line()).to.equal("holds");
  });

  it("count the kills of groups below, too", async () => {
    const group = groups.make("memory");
    const below = host.group(`${group.path}/below`, ["freezer", "memory"]);
    below.create();
    group.memory.setLimit(32 * MIB, { includingSwap: true });
    const told = group.memory.outOfMemory(NEVER);
    expect(await groups.run(below, ...hold(64)).ended).to.equal("SIGKILL");
    await told;
    expect(group.memory.oomKills()).to.equal(1);
  });

  it("stop telling of memory when asked to, and when the group is removed", async () => {
    const group = groups.make("memory");
    const controller = new AbortController();
    const first = group.memory.outOfMemory(controller.signal).catch((error: unknown) => error);
    const second = group.memory.outOfMemory(NEVER).catch((error: unknown) => error);
    const reason = new Error("enough");
    controller.abort(reason);
    expect(await first).to.equal(reason);
    expect(await group.memory.outOfMemory(controller.signal).catch((error: unknown) => error)).to.equal(
      reason,
    );
    await group.destroy();
    expect(await second)
      .to.be.instanceOf(CgroupError)
      .with.property("errno", "ENOENT");
    expect(await group.memory.outOfMemory(NEVER).catch((error: unknown) => error)).to.be.instanceOf(
      CgroupError,
    );
  });

  it("measure memory by kind", async () => {
    const group = groups.make("memory");
    const process = groups.run(group, ...hold(24));
    await process.line();
    const stat = group.memory.stat();
    expect(stat.anon).to.be.within(24 * MIB, 40 * MIB);
    expect(stat.usage).to.be.at.least(stat.anon);
    expect(group.memory.usage()).to.be.at.least(24 * MIB);
    expect(stat.kernel).to.be.a("number");
    expect(stat.file + stat.mappedFile + stat.unevictable).to.be.at.least(0);
    expect(group.memory.counters()).to.include.keys("unevictable", "pgfault");
  });

  it("keep the number of processes, threads included", async () => {
    const group = groups.make("pids");
    group.pids.setLimit(8);
    expect(group.pids.limit()).to.equal(8);
    const bomb =
      'print "up\\n"; $| = 1; for (1 .. 40) { my $pid = fork; last unless defined $pid; unless ($pid) { sleep 1000 } } print "refused\\n"; sleep 1000';
    const process = groups.run(group, "perl", "-e", bomb);
    await process.line();
    expect(await process.line()).to.equal("refused");
    expect(group.pids.current()).to.equal(8);
    expect(group.processes()).to.have.length(8).and.to.include(process.pid);
    expect(group.threads()).to.have.length(8);
    expect(group.pids.refusals()).to.equal(1);
    group.pids.setLimit(undefined);
    expect(group.pids.limit()).to.equal(undefined);
  });

  it("keep processes on their CPUs", async () => {
    const group = groups.make("cpuset");
    const all = group.cpuset.get();
    expect(all.cpus).to.match(/^0/);
    expect(all.mems).to.match(/^0/);
    group.cpuset.set({ cpus: "0", mems: "0" });
    expect(group.cpuset.get()).to.deep.equal({ cpus: "0", mems: "0" });
    const process = groups.run(group, "grep", "Cpus_allowed_list", "/proc/self/status");
    expect(await process.line()).to.match(/\s0$/);
  });

  it("hold for huge pages", function () {
    requireThat(this, host.version("hugetlb") !== undefined, host.lack("hugetlb") ?? "");
    const { hugetlb } = groups.make("hugetlb");
    expect(hugetlb.pageSizes).to.include("2MB");
    hugetlb.setLimit("2MB", 4 * MIB);
    expect(hugetlb.limit("2MB")).to.equal(4 * MIB);
    expect(hugetlb.usage("2MB")).to.equal(0);
    hugetlb.setLimit("2MB", undefined);
    expect(hugetlb.limit("2MB")).to.equal(undefined);
  });

  it("are refused with the file, the value and the reason", () => {
    const group = groups.make("pids");
    const attempt = (): void => group.pids.setLimit(-7);
    expect(attempt)
      .to.throw(CgroupError, /^cannot write "-7" to .*\/pids\.max: invalid argument \(EINVAL\)$/)
      .that.includes({ value: "-7", errno: "EINVAL" });
    expect(() => group.memory).to.throw(CgroupError, `cgroup ${group.path} is without controller memory`);
    expect(() => group.add(2 ** 22 + 1))
      .to.throw(CgroupError)
      .with.property("errno", "ESRCH");
  });

  if (host.version("memory") === 1) {
    it("count the pressure on memory (v1)", async () => {
      const group = groups.make("memory");
      group.memory.setLimit(16 * MIB, { includingSwap: true });
      using count = group.memory.countPressure()!;
      expect(count.read()).to.deep.equal({ low: 0, medium: 0, critical: 0 });
      await count.ready;
      await groups.run(group, ...hold(64)).ended;
      await eventually(() => count.read().critical > 0 || undefined);
      expect(count.read().low).to.be.at.least(count.read().critical);
    });
  } else {
    it("tell how long processes waited for memory (v2)", () => {
      const { memory } = groups.make("memory");
      expect(memory.stall()).to.deep.equal({ someSeconds: 0, fullSeconds: 0 });
      expect(memory.countPressure()).to.equal(undefined);
    });
  }
});
