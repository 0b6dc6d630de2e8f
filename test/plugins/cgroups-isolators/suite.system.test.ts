import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CATALOGUE } from "../../../plugins/cgroups-isolators/catalogue.js";
import { openCgroups } from "../../../sdk/node-cgroup/index.js";
import { isolatorSuite } from "../../../sdk/testing/isolator-suite.js";
import { makeFamily, removeRoot, requireCgroups } from "./support.js";

const ROOT = `tepui-cgroups-suite-${process.pid}`;

for (const name of [...Object.keys(CATALOGUE), "cgroups/all"]) {
  describe(`${name}, as an isolator`, () => {
    before(async function () {
      await requireCgroups(this, []);
      const host = await openCgroups();
      const row = CATALOGUE[name];
      const fits =
        row === undefined ||
        (row.controllers.every((controller) => host.lack(controller) === undefined) &&
          (row.only === undefined || row.only.version === host.version(row.controllers[0]!)));
      await host.close();
      // Not a part that could be installed: most hosts have one version of cgroups, and not every controller.
      if (!fits) this.skip();
    });

    const suite = isolatorSuite(async () => {
      const directory = await mkdtemp(join(tmpdir(), "tepui-isolator-"));
      const family = makeFamily({ isolation: name, cgroups_root: ROOT }, directory);
      await family.start();
      const child: ChildProcess = spawn("sleep", ["1000"], { stdio: "ignore" });
      return {
        isolator: family.isolators[0]!,
        directory,
        pid: child.pid!,
        close: async () => {
          child.kill("SIGKILL");
          await family.stop();
          const host = await openCgroups();
          await removeRoot(host, ROOT);
          await host.close();
          await rm(directory, { recursive: true });
        },
      };
    });
    for (const { name: title, run } of suite) it(title, run);
  });
}
