import { readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { TaskStatus_Reason } from "../../../proto/gen/mesos/v1/mesos.js";
import { isAlive, readProcessStat } from "../../../sdk/proc/index.js";
import { eventually } from "../../support/eventually.js";
import { CgroupsBench, LAUNCHERS, makeFamily, requireCgroups, resourcesOf, takeMemory } from "./support.js";

const FLAGS = { isolation: "cgroups/cpu,cgroups/mem,cgroups/pids" };
const CONTROLLERS = ["cpu", "memory", "pids"] as const;

const lives = (pid: number): boolean => {
  const stat = readProcessStat(pid);
  return stat !== undefined && isAlive(stat);
};

for (const launcher of LAUNCHERS)
  describe(`an agent with the ${launcher} launcher that starts anew`, () => {
    const open: CgroupsBench[] = [];
    const opened = (bench: CgroupsBench): CgroupsBench => {
      open.push(bench);
      return bench;
    };

    before(async function () {
      await requireCgroups(this, [...CONTROLLERS, "freezer"]);
    });

    afterEach(async () => {
      for (const bench of open.splice(0).toReversed()) await bench.close();
    });

    it("takes back its containers, and their limits still hold", async () => {
      const first = await CgroupsBench.open(FLAGS, { launcher });
      const request = await first.request(`while [ ! -e go ]; do sleep 0.02; done; ${takeMemory(128)}`, {
        resources: "cpus:0.1;mem:48",
      });
      await first.containerizer.launch(request);
      const id = request.containerId.value!;
      const before = await first.containerizer.usage(request.containerId);
      await first.abandon();
      const second = opened(await first.again(FLAGS));
      await second.containerizer.recover([{ request }]);
      const after = await second.containerizer.usage(request.containerId);
      expect(after.cpus_user_time_secs).to.be.at.least(before.cpus_user_time_secs!);
      await second.containerizer.update(request.containerId, resourcesOf("cpus:0.25;mem:40"), {});
      const { cpu, memory } = second.group(id, ["cpu", "memory"]);
      expect(cpu.shares()).to.equal(256);
      expect(memory.limit(), "a hard limit that was set before is not lowered").to.equal(48 * 1024 * 1024);
      await writeFile(join(request.directory, "go"), "");
      const end = await second.containerizer.wait(request.containerId);
      expect(end?.reason).to.equal(TaskStatus_Reason.REASON_CONTAINER_LIMITATION_MEMORY);
      await second.end(id);
      expect(second.host.list(second.root)).to.deep.equal([]);
    });

    it("ends and removes the containers that nobody knows any more, whatever runs in them", async () => {
      const first = await CgroupsBench.open(FLAGS, { launcher });
      const id = await first.launch("sleep 1000");
      // Out of its launcher's sight, and with a group of its own making below.
      const group = first.group(id, CONTROLLERS);
      const inner = first.group(`${id}/inner`, CONTROLLERS);
      inner.create();
      const [pid] = group.processes();
      inner.add(pid!);
      await first.abandon();
      const second = opened(await first.again(FLAGS));
      await second.family.isolators[0]!.recover?.([]);
      expect(second.host.list(second.root)).to.deep.equal([]);
      await eventually(() => (lives(pid!) ? undefined : true));
      const marks = join(second.bench.directory, "run", "cgroups");
      const [agent] = await readdir(marks);
      expect(await readdir(join(marks, agent!))).to.deep.equal([]);
    });

    it("does not touch what another agent below the same root has", async () => {
      const other = opened(await CgroupsBench.open(FLAGS, { launcher }));
      const id = await other.launch("sleep 1000");
      const mine = makeFamily({ ...FLAGS, cgroups_root: other.root }, join(other.bench.directory, "another"));
      await mine.start();
      for (const isolator of mine.isolators) await isolator.recover?.([]);
      await mine.stop();
      expect(other.group(id, CONTROLLERS).processes()).to.have.length.greaterThan(0);
    });

    it("goes on with containers from before an isolator was named", async () => {
      const first = await CgroupsBench.open({ isolation: "cgroups/cpu" }, { launcher });
      const request = await first.request("sleep 1000");
      await first.containerizer.launch(request);
      await first.abandon();
      const second = opened(await first.again(FLAGS));
      await second.containerizer.recover([{ request }]);
      const usage = await second.containerizer.usage(request.containerId);
      expect(usage.cpus_user_time_secs).to.be.a("number");
      // On v2 the group that is there gets the controller as well.
      expect("mem_rss_bytes" in usage).to.equal(second.host.version("memory") === 2);
      await second.end(request.containerId.value!);
      expect(second.host.list(second.root)).to.deep.equal([]);
    });
  });
