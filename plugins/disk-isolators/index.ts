import { Isolator } from "../../sdk/contracts/isolator.js";
import { definePlugin, durationText, z } from "../../sdk/plugin/index.js";
import { DiskUsageIsolator } from "./disk-usage-isolator.js";
import { diskUse } from "./disk-use.js";

/** `posix/disk` is the name that Mesos had for it before 1.0. */
const NAMES = ["disk/du", "posix/disk"];

export default definePlugin({
  name: "disk-isolators",
  version: "1.0.0",
  description: "disk/du: measures what containers hold on disk, and keeps them to it",
  targets: ["agent"],
  provides: [Isolator],
  config: z.strictObject({
    isolation: z.string().default("posix/cpu,posix/mem"),
    work_dir: z.string().min(1),
    container_disk_watch_interval: durationText("15secs"),
    enforce_container_disk_quota: z.boolean().default(false),
  }),
  setup(ctx) {
    const { config, clock, logger } = ctx;
    const named = config.isolation.split(",").map((name) => name.trim());
    if (!NAMES.some((name) => named.includes(name))) ctx.skip("isolation names none of its isolators");
    const usage = new DiskUsageIsolator({
      workDir: config.work_dir,
      interval: config.container_disk_watch_interval,
      enforce: config.enforce_container_disk_quota,
      measure: diskUse,
      clock,
      logger,
    });
    ctx.bind(Isolator, usage);
    return { start: () => usage.start(), stop: () => usage.stop() };
  },
});
