import { expect } from "chai";
import { openCgroups } from "../../../sdk/node-cgroup/index.js";
import { container, IsolatedContainers } from "../../support/isolated-containers.js";
import { requireCgroups, resourcesOf } from "./support.js";

const MB = 1024 * 1024;

describe("cgroups of a container with an image", () => {
  let bench: IsolatedContainers;
  let files: { readonly limit: string; readonly processes: string };

  before(async function () {
    await requireCgroups(this, ["memory", "cpu", "cpuacct"]);
    bench = await IsolatedContainers.open(this, { isolation: "filesystem/linux,cgroups/cpu,cgroups/mem" });
    const host = await openCgroups();
    files =
      host.version("memory") === 1
        ? { limit: "memory/memory.limit_in_bytes", processes: "memory/cgroup.procs" }
        : { limit: "memory.max", processes: "leaf/cgroup.procs" };
    await host.close();
  });

  after(() => bench?.close());

  const image = { container: container({ image: true }), resources: resourcesOf("cpus:0.5;mem:48") };

  it("are what it sees in /sys/fs/cgroup: its own limits, and its own processes", async () => {
    const limit = await bench.output(`cat /sys/fs/cgroup/${files.limit}`, image);
    expect(Number(limit)).to.equal(48 * MB);
    const processes = await bench.output(`cat /sys/fs/cgroup/${files.processes}`, image);
    expect(processes.trim().split("\n").length).to.be.at.most(3);
  });

  it("cannot be changed from inside", async () => {
    for (const attack of [
      `echo -1 > /sys/fs/cgroup/${files.limit}`,
      `mkdir $(dirname /sys/fs/cgroup/${files.limit})/more`,
    ]) {
      const said = await bench.output(`( ${attack} && echo done ) 2>&1 || true`, image);
      expect(said, attack).to.match(/Read-only file system/);
    }
  });
});
