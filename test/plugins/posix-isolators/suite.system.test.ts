import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createTestKernel } from "../../../core/testing/index.js";
import posixIsolators from "../../../plugins/posix-isolators/index.js";
import { Isolator } from "../../../sdk/contracts/isolator.js";
import { isolatorSuite } from "../../../sdk/testing/isolator-suite.js";

for (const name of ["posix/cpu", "posix/mem"]) {
  describe(name, () => {
    const suite = isolatorSuite(async () => {
      const directory = await mkdtemp(join(tmpdir(), "tepui-isolator-"));
      const test = await createTestKernel({ plugins: [posixIsolators], target: "agent" });
      return {
        isolator: test.kernel.getAll(Isolator).find((each) => each.name === name)!,
        directory,
        pid: process.pid,
        close: async () => {
          await test.stop();
          await rm(directory, { recursive: true });
        },
      };
    });
    for (const { name: title, run } of suite) it(title, run);
  });
}
