import { expect } from "chai";
import type { Controller } from "../../../sdk/node-cgroup/index.js";
import { eventually } from "../../support/eventually.js";
import { CgroupsBench, requireCgroups } from "./support.js";

describe("the cgroup isolators that only make groups", () => {
  let bench: CgroupsBench;

  before(async function () {
    await requireCgroups(this, ["pids", "cpuset", "io", "freezer"]);
  });

  afterEach(() => bench.close());

  const launchWith = async (name: string, controllers: readonly Controller[], script: string) => {
    bench = await CgroupsBench.open({ isolation: name });
    const id = await bench.launch(script);
    return { id, group: bench.group(id, controllers) };
  };

  it("count processes for cgroups/pids, and let others limit them", async () => {
    const { group } = await launchWith("cgroups/pids", ["pids"], "sleep 1000 & sleep 1000 & wait");
    await eventually(() => (group.pids.current() === 3 ? true : undefined));
    group.pids.setLimit(3);
    expect(group.pids.limit()).to.equal(3);
  });

  it("give the CPUs of the group above under cgroups/cpuset", async () => {
    const { group } = await launchWith("cgroups/cpuset", ["cpuset"], "exec sleep 1000");
    expect(group.processes()).not.to.be.empty;
    expect(group.cpuset.get().cpus).to.match(/^\d/);
  });

  it("measure what a container writes to disks", async () => {
    const which = await CgroupsBench.open({ isolation: "cgroups/cpu" });
    const name = which.host.version("io") === 1 ? "cgroups/blkio" : "cgroups/io";
    await which.close();
    const { id } = await launchWith(name, ["io"], "sleep 1000");
    const { blkio_statistics: io } = await bench.containerizer.usage({ value: id });
    expect(io?.throttling.at(-1), "the sum is last").to.not.have.property("device");
    expect(io?.cfq).to.not.be.empty;
  });
});
