import { expect } from "chai";
import { eventually } from "../../support/eventually.js";
import { CgroupsBench, requireCgroups, resourcesOf } from "./support.js";

const SPIN = "while :; do :; done";
const NONE = Number.POSITIVE_INFINITY;

describe("cgroups/cpu", () => {
  let bench: CgroupsBench;

  before(async function () {
    await requireCgroups(this, ["cpu", "cpuacct", "freezer"]);
  });

  const open = async (flags: Record<string, unknown> = {}) => {
    bench = await CgroupsBench.open({ isolation: "cgroups/cpu", ...flags });
  };

  afterEach(() => bench.close());

  const settings = (id: string) => {
    const { cpu } = bench.group(id, ["cpu"]);
    return { shares: cpu.shares(), quota: cpu.quota()?.quotaUs };
  };
  const version = () => bench.host.version("cpu");
  const update = (id: string, resources: string, limits: Record<string, number> = {}) =>
    bench.containerizer.update({ value: id }, resourcesOf(resources), limits);

  it("weighs by request, and limits only where a limit is given", async () => {
    await open();
    const id = await bench.launch("sleep 1000", { resources: "cpus:0.5" });
    expect(settings(id)).to.deep.equal({ shares: 512, quota: undefined });
    await update(id, "cpus:2");
    expect(settings(id)).to.deep.equal({ shares: 2048, quota: undefined });
    await update(id, "cpus:0.25", { cpus: 1.5 });
    expect(settings(id)).to.deep.equal({ shares: 256, quota: 150_000 });
    await update(id, "cpus:0.25", { cpus: NONE });
    expect(settings(id)).to.deep.equal({ shares: 256, quota: undefined });
    await update(id, "cpus:0.001", { cpus: 0.001 });
    // The least that the kernel has: 2 shares on v1; a weight of 1 on v2, which amounts to 10.
    expect(settings(id)).to.deep.equal({ shares: version() === 1 ? 2 : 10, quota: 1000 });
  });

  it("limits to the request under --cgroups_enable_cfs, unless a limit is given", async () => {
    await open({ cgroups_enable_cfs: true });
    const id = await bench.launch("sleep 1000", { resources: "cpus:0.5" });
    expect(settings(id)).to.deep.equal({ shares: 512, quota: 50_000 });
    await update(id, "cpus:0.5", { cpus: 2 });
    expect(settings(id)).to.deep.equal({ shares: 512, quota: 200_000 });
  });

  it("takes a limit away again as soon as a group below, which had as much, was removed", async () => {
    await open({ cgroups_enable_cfs: true });
    const id = await bench.launch("sleep 1000", { resources: "cpus:2" });
    for (let round = 0; round < 5; round++) {
      await update(id, "cpus:2");
      // On v2 a group that holds processes can have none below with limits, and none below limits what it may have.
      if (version() === 1) {
        const below = bench.group(`${id}/below`, ["cpu"]);
        below.create();
        below.cpu.setQuota({ quotaUs: 200_000, periodUs: 100_000 });
        await below.destroy();
      }
      await update(id, "cpus:0.5");
      expect(settings(id).quota).to.equal(50_000);
    }
  });

  it("gives revocable CPUs less, unless --no-revocable_cpu_low_priority", async () => {
    await open();
    const id = await bench.launch("sleep 1000", { resources: "cpus!:2" });
    expect(settings(id).shares).to.equal(20);
    await bench.close();
    await open({ revocable_cpu_low_priority: false });
    const other = await bench.launch("sleep 1000", { resources: "cpus!:2" });
    expect(settings(other).shares).to.equal(2048);
  });

  it("keeps a task of 0.5 CPUs that spins at 0.5 CPUs", async () => {
    await open({ cgroups_enable_cfs: true });
    // What else the machine does is not to be what keeps it from more.
    bench.host.group(bench.root, ["cpu"]).cpu.setShares(262_144);
    const id = await bench.launch(SPIN, { resources: "cpus:0.5" });
    const look = async () => {
      const usage = await bench.containerizer.usage({ value: id });
      return {
        cpu: usage.cpus_user_time_secs! + usage.cpus_system_time_secs!,
        periods: usage.cpus_nr_periods!,
        usage,
      };
    };
    const start = await eventually(async () => {
      const first = await look();
      return first.usage.cpus_nr_throttled! > 0 ? first : undefined;
    });
    const end = await eventually(async () => {
      const later = await look();
      return later.periods - start.periods >= 30 ? later : undefined;
    }, 60_000);
    // By the kernel's own clock, of which a period is a tenth of a second: nothing is lost while this process waits for its turn.
    expect((end.cpu - start.cpu) / (end.periods - start.periods)).to.be.within(0.04, 0.06);
    expect(end.usage.cpus_throttled_time_secs).to.be.greaterThan(start.usage.cpus_throttled_time_secs!);
  });

  it("measures, and counts processes and threads where asked to", async () => {
    await open();
    const plain = await bench.launch("sleep 1000 & sleep 1000 & wait");
    const usage = await bench.containerizer.usage({ value: plain });
    expect(usage.cpus_user_time_secs).to.be.a("number");
    expect(usage.cpus_system_time_secs).to.be.a("number");
    expect(usage).to.not.have.any.keys("processes", "threads");
    if (version() === 1) expect(usage).to.not.have.property("cpus_nr_throttled");
    await bench.close();
    await open({ cgroups_cpu_enable_pids_and_tids_count: true });
    const counted = await bench.launch("sleep 1000 & sleep 1000 & wait");
    await eventually(async () => {
      const { processes, threads } = await bench.containerizer.usage({ value: counted });
      return processes === 3 && threads === 3 ? true : undefined;
    });
  });
});
