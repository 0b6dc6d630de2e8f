import { join, resolve } from "node:path";
import { Isolator } from "../../sdk/contracts/isolator.js";
import { Launcher } from "../../sdk/contracts/launcher.js";
import { Metrics } from "../../sdk/contracts/metrics.js";
import { TepuiError } from "../../sdk/errors/index.js";
import { isolationNames, unavailableIsolation, unmetNeed } from "../../sdk/isolation/index.js";
import { definePlugin, reading, z } from "../../sdk/plugin/index.js";
import { LinuxFilesystem } from "./linux.js";
import { PerlLiveMounts } from "./live-mounts.js";
import { PosixFilesystem } from "./posix.js";
import { SharedFilesystem } from "./shared.js";
import { VolumeAccess } from "./volume-access.js";
import { parseGidRange, VolumeGids } from "./volume-gids.js";

const config = z.strictObject({
  isolation: z.string().default("posix/cpu,posix/mem"),
  work_dir: z.string().min(1),
  sandbox_directory: z.string().startsWith("/").default("/mnt/mesos/sandbox"),
  volume_gid_range: z.string().transform(reading(parseGidRange)).optional(),
});

const NAMES = ["filesystem/posix", "filesystem/linux", "filesystem/shared"] as const;

/** One of them is always there; `filesystem/posix` where `--isolation` names none. */
export default definePlugin({
  name: "filesystem-isolators",
  version: "1.0.0",
  description:
    "filesystem/posix, filesystem/linux and filesystem/shared: root file systems and persistent volumes",
  targets: ["agent"],
  provides: [Isolator],
  requires: { launcher: Launcher, metrics: Metrics },
  config,
  setup(ctx, { launcher, metrics }) {
    const isolation = isolationNames(ctx.config.isolation);
    const named = NAMES.filter((name) => isolation.has(name));
    if (named.length > 1) {
      throw new TepuiError("TEPUI_ISOLATION_UNAVAILABLE", {
        detail: `${named.map((name) => `'${name}'`).join(" and ")} exclude each other: name one in --isolation`,
      });
    }
    const name = named[0] ?? "filesystem/posix";
    const { work_dir, sandbox_directory, volume_gid_range: ranges } = ctx.config;
    const workDir = resolve(work_dir);
    const file = join(workDir, "meta", "volume_gid_manager", "volume_gids");
    const gids = ranges && new VolumeGids({ ranges, file });
    gids?.publish(metrics);
    const options = { workDir, access: new VolumeAccess(gids), logger: ctx.logger };
    if (name === "filesystem/linux") {
      const isolator = new LinuxFilesystem({
        ...options,
        sandboxDirectory: sandbox_directory,
        ipcIsolated: isolation.has("namespaces/ipc"),
        liveMounts: new PerlLiveMounts(),
      });
      metrics.gauge("containerizer/mesos/filesystem/containers_new_rootfs", () => isolator.newRootfs);
      ctx.bind(Isolator, isolator);
    } else {
      const Kind = name === "filesystem/shared" ? SharedFilesystem : PosixFilesystem;
      ctx.bind(Isolator, new Kind(options));
    }
    return {
      async start() {
        const lack =
          name === "filesystem/posix"
            ? undefined
            : unmetNeed({ root: true, linuxLauncher: launcher.name, namespace: "mnt" });
        if (lack !== undefined) throw unavailableIsolation(name, lack);
        if (gids !== undefined && process.geteuid?.() !== 0)
          throw unavailableIsolation(name, "root privileges for --volume_gid_range: run the agent as root");
        await gids?.recover();
      },
    };
  },
});
