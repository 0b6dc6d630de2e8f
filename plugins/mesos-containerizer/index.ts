import { join } from "node:path";
import { ContainerLogger } from "../../sdk/contracts/container-logger.js";
import { Containerizer } from "../../sdk/contracts/containerizer.js";
import { Fetcher } from "../../sdk/contracts/fetcher.js";
import { Isolator } from "../../sdk/contracts/isolator.js";
import { Launcher } from "../../sdk/contracts/launcher.js";
import { Metrics } from "../../sdk/contracts/metrics.js";
import { definePlugin, durationText, z } from "../../sdk/plugin/index.js";
import { MesosContainerizer } from "./containerizer.js";
import { checkIsolation } from "./isolation.js";
import { recordsDirectory } from "./plan.js";
import { UriFetch } from "./sandbox-fetch.js";

const config = z.strictObject({
  work_dir: z.string().min(1),
  runtime_dir: z.string().default("/var/run/mesos"),
  isolation: z.string().default("posix/cpu,posix/mem"),
  frameworks_home: z.string().default(""),
  fetcher_stall_timeout: durationText("1mins"),
});

export default definePlugin({
  name: "mesos-containerizer",
  version: "1.0.0",
  description: "Makes containers of what isolators contribute",
  targets: ["agent"],
  provides: [Containerizer],
  requires: {
    isolators: Isolator,
    launcher: Launcher,
    containerLogger: ContainerLogger,
    fetchers: Fetcher,
    metrics: Metrics,
  },
  config,
  setup(ctx, { isolators, launcher, containerLogger, fetchers, metrics }) {
    checkIsolation(
      ctx.config.isolation,
      isolators.map(({ name }) => name),
    );
    const sandboxFetch = new UriFetch({
      fetchers,
      frameworksHome: ctx.config.frameworks_home,
      stallTimeout: ctx.config.fetcher_stall_timeout,
      succeeded: metrics.counter("containerizer/fetcher/task_fetches_succeeded"),
      failed: metrics.counter("containerizer/fetcher/task_fetches_failed"),
    });
    const containerizer = new MesosContainerizer({
      isolators,
      launcher,
      containerLogger,
      sandboxFetch,
      recordsDirectory: recordsDirectory(ctx.config.runtime_dir, ctx.config.work_dir),
      stagingDirectory: join(ctx.config.runtime_dir, "fetch"),
      destroyErrors: metrics.counter("containerizer/mesos/container_destroy_errors"),
      clock: ctx.clock,
      logger: ctx.logger,
    });
    ctx.bind(Containerizer, containerizer);
    return { start: () => containerizer.prepareDirectories() };
  },
});
