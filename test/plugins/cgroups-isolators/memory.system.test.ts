import { existsSync } from "node:fs";
import { access, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { TaskStatus_Reason } from "../../../proto/gen/mesos/v1/mesos.js";
import { eventually } from "../../support/eventually.js";
import { CgroupsBench, LAUNCHERS, requireCgroups, resourcesOf, takeMemory } from "./support.js";

const MB = 1024 * 1024;

for (const launcher of LAUNCHERS)
  describe(`cgroups/mem under the ${launcher} launcher`, () => {
    let bench: CgroupsBench;

    before(async function () {
      await requireCgroups(this, ["memory", "freezer"]);
    });

    beforeEach(async () => {
      bench = await CgroupsBench.open({ isolation: "cgroups/mem" }, { launcher });
    });

    afterEach(() => bench.close());

    const taken = (id: string) =>
      eventually(() =>
        access(join(bench.bench.directory, "sandboxes", "c0", "taken")).then(
          () => id,
          () => undefined,
        ),
      );

    it("ends a container that takes more than its limit, with the figures, and leaves its neighbour", async () => {
      const neighbour = await bench.launch(takeMemory(16), { resources: "mem:64" });
      await taken(neighbour);
      const greedy = await bench.launch(takeMemory(128), { resources: "mem:48" });
      const end = await bench.containerizer.wait({ value: greedy });
      expect(end?.exit?.signal).to.equal(9);
      expect(end?.reason).to.equal(TaskStatus_Reason.REASON_CONTAINER_LIMITATION_MEMORY);
      expect(end?.message).to.match(
        /^Memory limit exceeded: Requested: 48MB Maximum Used: \d+(MB|KB|B)\n\nMEMORY STATISTICS: \n/,
      );
      expect(end?.message).to.match(/^(total_rss|anon) \d+$/m);
      const [mem] = end!.limitation!.resources;
      expect(mem).to.include({ name: "mem", role: "*" });
      expect(mem?.scalar?.value).to.be.closeTo(48, 1);
      expect(await bench.containerizer.signal({ value: neighbour }, 0), "the neighbour lives").to.equal(true);
      expect(bench.group(neighbour, ["memory"]).memory.oomKills()).to.equal(0);
    });

    it("ends a container of which one child alone was killed", async () => {
      const script = `sh -c '${takeMemory(128).replaceAll("'", `'"'"'`)}'; while :; do sleep 1; done`;
      const id = await bench.launch(script, { resources: "mem:48" });
      const end = await bench.containerizer.wait({ value: id });
      expect(end?.reason).to.equal(TaskStatus_Reason.REASON_CONTAINER_LIMITATION_MEMORY);
      expect(end?.message).to.contain("Memory limit exceeded: Requested: 48MB");
    });

    it("has nothing to say of a container that ends otherwise", async () => {
      const id = await bench.launch("kill -9 $$");
      const end = await bench.containerizer.wait({ value: id });
      expect(end).to.deep.equal({
        exit: { code: undefined, signal: 9 },
        reason: undefined,
        message: undefined,
        limitation: undefined,
      });
    });

    it("sets Mesos's limits, and raises but never lowers the hard one", async () => {
      const id = await bench.launch("sleep 1000", { resources: "mem:48" });
      const { memory } = bench.group(id, ["memory"]);
      const limits = () => ({ soft: memory.softLimit(), hard: memory.limit() });
      expect(limits()).to.deep.equal({ soft: 48 * MB, hard: 48 * MB });
      await bench.containerizer.update({ value: id }, resourcesOf("mem:96"), {});
      expect(limits()).to.deep.equal({ soft: 96 * MB, hard: 96 * MB });
      await bench.containerizer.update({ value: id }, resourcesOf("mem:1"), {});
      expect(limits(), "no less than 32 MB, and no hard limit below the present one").to.deep.equal({
        soft: 32 * MB,
        hard: 96 * MB,
      });
      await bench.containerizer.update({ value: id }, resourcesOf("mem:64"), { mem: 128 });
      expect(limits()).to.deep.equal({ soft: 64 * MB, hard: 128 * MB });
      await bench.containerizer.update({ value: id }, resourcesOf("mem:64"), {
        mem: Number.POSITIVE_INFINITY,
      });
      expect(limits()).to.deep.equal({ soft: 64 * MB, hard: undefined });
    });

    it("lets a raised limit be used", async () => {
      const id = await bench.launch(`while [ ! -e go ]; do sleep 0.02; done; ${takeMemory(96)}`, {
        resources: "mem:48",
      });
      await bench.containerizer.update({ value: id }, resourcesOf("mem:160"), {});
      const sandbox = join(bench.bench.directory, "sandboxes", "c0");
      await writeFile(join(sandbox, "go"), "");
      await taken(id);
      expect(bench.group(id, ["memory"]).memory.usage()).to.be.greaterThan(96 * MB);
    });

    it("measures under Mesos's names", async () => {
      const id = await bench.launch(takeMemory(16), { resources: "mem:64" });
      await taken(id);
      const usage = await bench.containerizer.usage({ value: id });
      expect(Number(usage.mem_rss_bytes)).to.be.within(16 * MB, 64 * MB);
      expect(usage.mem_anon_bytes).to.equal(usage.mem_rss_bytes);
      expect(Number(usage.mem_total_bytes)).to.be.within(16 * MB, 64 * MB);
      const pressure = [
        "mem_low_pressure_counter",
        "mem_medium_pressure_counter",
        "mem_critical_pressure_counter",
      ];
      const names = ["mem_file_bytes", "mem_cache_bytes", "mem_mapped_file_bytes", "mem_unevictable_bytes"];
      if (bench.host.version("memory") === 1) names.push(...pressure);
      else expect(usage).to.not.have.any.keys(...pressure);
      for (const name of names) expect(usage).to.have.property(name).that.is.a("bigint");
    });

    it("lets the host's OOM killer take those above their request first", async () => {
      const script = "cat /proc/self/oom_score_adj > score; sleep 1000";
      const launch = async (limits: Record<string, number>) => {
        const request = await bench.request(script, { resources: "mem:32", limits });
        await bench.containerizer.launch(request);
        return eventually(async () => {
          const text = await readFile(join(request.directory, "score"), "utf8");
          return text === "" ? undefined : Number(text);
        });
      };
      expect(await launch({})).to.equal(0);
      expect(await launch({ mem: 64 })).to.be.within(900, 1000);
    });

    it("leaves nothing", async () => {
      const id = await bench.launch("sleep 1000");
      expect(bench.group(id, ["memory"]).exists()).to.equal(true);
      await bench.end(id);
      expect(bench.host.list(bench.root)).to.deep.equal([]);
      expect(existsSync(join(bench.bench.directory, "run", "cgroups"))).to.equal(true);
    });
  });
