import { Isolator } from "../../sdk/contracts/isolator.js";
import { Metrics } from "../../sdk/contracts/metrics.js";
import { isolationNames } from "../../sdk/isolation/index.js";
import { bytesText, definePlugin, durationText, z } from "../../sdk/plugin/index.js";
import { DiskUsageIsolator } from "./disk-usage-isolator.js";
import { diskUse } from "./disk-use.js";
import { diskRoots } from "./quotas.js";
import { checkXfs } from "./xfs/check-xfs.js";
import { ProjectIds } from "./xfs/project-ids.js";
import { XfsPrograms } from "./xfs/project-quotas.js";
import { type QuotaPolicy, XfsDiskIsolator } from "./xfs/xfs-disk-isolator.js";
import { findXfsMount } from "./xfs/xfs-mounts.js";

const config = z.strictObject({
  isolation: z.string().default("posix/cpu,posix/mem"),
  work_dir: z.string().min(1),
  resources: z.string().optional(),
  container_disk_watch_interval: durationText("15secs"),
  disk_watch_interval: durationText("1mins"),
  enforce_container_disk_quota: z.boolean().default(false),
  xfs_project_range: z.string().default("[5000-10000]"),
  xfs_kill_containers: z.boolean().default(false),
  xfs_quota_headroom: bytesText("10MB"),
});

export default definePlugin({
  name: "disk-isolators",
  version: "1.0.0",
  description: "disk/du and disk/xfs: measure what containers hold on disk, and keep them to it",
  targets: ["agent"],
  provides: [Isolator],
  requires: { metrics: Metrics },
  config,
  setup(ctx, { metrics }) {
    const { config, clock, logger } = ctx;
    const named = isolationNames(config.isolation);
    if (!named.has("disk/du") && !named.has("disk/xfs")) ctx.skip("isolation names none of its isolators");
    const parts: { start(): void | Promise<void>; stop(): void }[] = [];
    if (named.has("disk/du")) {
      const usage = new DiskUsageIsolator({
        workDir: config.work_dir,
        interval: config.container_disk_watch_interval,
        enforce: config.enforce_container_disk_quota,
        measure: diskUse,
        clock,
        logger,
      });
      ctx.bind(Isolator, usage);
      parts.push(usage);
    }
    if (named.has("disk/xfs")) {
      const ids = ProjectIds.parse(config.xfs_project_range);
      const roots = diskRoots(config.resources ?? "", config.work_dir);
      const policy = policyOf(config);
      const xfs = new XfsDiskIsolator({
        workDir: config.work_dir,
        diskRoots: roots,
        ids,
        quotas: new XfsPrograms(),
        findMount: findXfsMount,
        policy,
        headroom: BigInt(config.xfs_quota_headroom),
        interval: config.container_disk_watch_interval,
        reclaimInterval: config.disk_watch_interval,
        clock,
        logger,
      });
      ctx.bind(Isolator, xfs);
      metrics.gauge("containerizer/mesos/disk/project_ids_total", () => ids.total);
      metrics.gauge("containerizer/mesos/disk/project_ids_free", () => ids.free);
      parts.push({
        start: async () => {
          await checkXfs({ paths: [config.work_dir, ...roots], enforce: policy !== "account" });
          xfs.start();
        },
        stop: () => xfs.stop(),
      });
    }
    return {
      start: async () => {
        for (const part of parts) await part.start();
      },
      stop: () => {
        for (const part of parts) part.stop();
      },
    };
  },
});

function policyOf(flags: z.output<typeof config>): QuotaPolicy {
  if (!flags.enforce_container_disk_quota) return "account";
  return flags.xfs_kill_containers ? "kill" : "refuse";
}
