import { execFile } from "node:child_process";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect } from "chai";
import type { CgroupsFamily } from "../../../plugins/cgroups-isolators/family.js";
import { openCgroups } from "../../../sdk/node-cgroup/index.js";
import { requireThat } from "../../support/require-part.js";
import { ContainerizerBench } from "../mesos-containerizer/support.js";
import { makeFamily, removeRoot } from "./support.js";

const run = promisify(execFile);
const CONTROLLERS = ["net_cls", "net_prio"] as const;
const ROOT = `tepui-network-${process.pid}`;

/** Few hosts have these two mounted; here they are, in a place of their own. */
describe("cgroups/net_cls and cgroups/net_prio", () => {
  let hierarchy: string;
  let family: CgroupsFamily;
  let bench: ContainerizerBench;

  before(async function () {
    requireThat(this, process.geteuid?.() === 0, "cgroups need root");
    const known = readFileSync("/proc/cgroups", "utf8");
    for (const name of CONTROLLERS)
      requireThat(this, new RegExp(`^${name}\t`, "m").test(known), `the kernel lacks cgroup ${name} (v1)`);
    hierarchy = await mkdtemp(join(tmpdir(), "tepui-network-"));
    await (await openCgroups({ hierarchy, mount: CONTROLLERS })).close();
    const directory = await mkdtemp(join(tmpdir(), "tepui-network-bench-"));
    const flags = {
      isolation: CONTROLLERS.map((name) => `cgroups/${name}`).join(","),
      cgroups_hierarchy: hierarchy,
      cgroups_root: ROOT,
      cgroups_net_cls_primary_handle: "0x0010",
      cgroups_net_cls_secondary_handles: "0x0005,0x0006",
    };
    family = makeFamily(flags, directory);
    await family.start();
    bench = await ContainerizerBench.open({ directory, isolators: family.isolators });
  });

  after(async () => {
    await bench?.close();
    await family?.stop();
    if (hierarchy === undefined) return;
    const host = await openCgroups({ hierarchy });
    await removeRoot(host, ROOT);
    await host.close();
    for (const name of CONTROLLERS) await run("umount", [join(hierarchy, name)]).catch(() => undefined);
    await rm(hierarchy, { recursive: true, force: true });
  });

  it("give a container a class of its own, and priorities that the operator can set, until it ends", async () => {
    const request = await bench.request("exec sleep 1000");
    const id = request.containerId;
    await bench.containerizer.launch(request);
    try {
      const group = (controller: string): string => join(hierarchy, controller, ROOT, id.value!);
      const status = await bench.containerizer.status(id);
      expect(status.cgroup_info).to.deep.equal({ net_cls: { classid: 0x0010_0005 } });
      expect(Number(readFileSync(join(group("net_cls"), "net_cls.classid"), "utf8"))).to.equal(0x0010_0005);
      for (const controller of CONTROLLERS) {
        const pids = readFileSync(join(group(controller), "cgroup.procs"), "utf8").split("\n");
        expect(pids, controller).to.include(String(status.executor_pid));
      }
      const priorities = join(group("net_prio"), "net_prio.ifpriomap");
      writeFileSync(priorities, "lo 5");
      expect(readFileSync(priorities, "utf8")).to.match(/^lo 5$/m);
      const others = join(hierarchy, "net_prio", "net_prio.ifpriomap");
      expect(readFileSync(others, "utf8"), "of all others").to.match(/^lo 0$/m);
    } finally {
      await bench.containerizer.destroy(id);
    }
    for (const controller of CONTROLLERS) {
      const root = join(hierarchy, controller, ROOT);
      const left = existsSync(root) ? readdirSync(root, { withFileTypes: true }) : [];
      expect(left.filter((entry) => entry.isDirectory())).to.deep.equal([]);
    }
  });
});
