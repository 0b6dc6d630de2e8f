import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createTestKernel, override } from "../../../core/testing/index.js";
import filesystemIsolators from "../../../plugins/filesystem-isolators/index.js";
import { LinuxLauncher } from "../../../plugins/launchers/linux/linux-launcher.js";
import namespaceIsolators from "../../../plugins/namespace-isolators/index.js";
import secretResolver from "../../../plugins/secret-resolver/index.js";
import volumeIsolators from "../../../plugins/volume-isolators/index.js";
import { Isolator } from "../../../sdk/contracts/isolator.js";
import { Launcher } from "../../../sdk/contracts/launcher.js";
import { isolatorSuite } from "../../../sdk/testing/isolator-suite.js";
import { MemoryLogger } from "../../../sdk/testing/memory-logger.js";
import { requireThat } from "../../support/require-part.js";

const NAMES = [
  "filesystem/posix",
  "filesystem/linux",
  "filesystem/shared",
  "volume/sandbox_path",
  "volume/host_path",
  "volume/secret",
  "namespaces/ipc",
  "namespaces/pid",
];

for (const name of NAMES) {
  describe(name, () => {
    before(function () {
      requireThat(this, process.geteuid?.() === 0, "isolators of mounts and namespaces need root");
    });
    const isolation = name.startsWith("filesystem/") ? name : `filesystem/linux,${name}`;
    const suite = isolatorSuite(async () => {
      const directory = await mkdtemp(join(tmpdir(), "tepui-isolator-"));
      // Asked for its name alone.
      const launcher = new LinuxLauncher({
        hierarchy: "/sys/fs/cgroup",
        root: "unused",
        destroyTimeoutMs: 1000,
        logger: new MemoryLogger(),
      });
      const test = await createTestKernel({
        plugins: [secretResolver, filesystemIsolators, volumeIsolators, namespaceIsolators],
        target: "agent",
        settings: { isolation, work_dir: join(directory, "work"), runtime_dir: join(directory, "run") },
        overrides: [override(Launcher, launcher)],
      });
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
