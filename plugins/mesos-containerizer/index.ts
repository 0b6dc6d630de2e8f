import { ContainerLogger } from "../../sdk/contracts/container-logger.js";
import { Containerizer } from "../../sdk/contracts/containerizer.js";
import { Provisioner } from "../../sdk/contracts/image.js";
import { Isolator } from "../../sdk/contracts/isolator.js";
import { Launcher } from "../../sdk/contracts/launcher.js";
import { Metrics } from "../../sdk/contracts/metrics.js";
import { SandboxFetch } from "../../sdk/contracts/sandbox-fetch.js";
import { definePlugin, optional, z } from "../../sdk/plugin/index.js";
import { MesosContainerizer } from "./containerizer.js";
import { checkIsolation } from "./isolation.js";
import { recordsDirectory } from "./plan.js";

const config = z.strictObject({
  containerizers: z.string().default("mesos"),
  work_dir: z.string().min(1),
  runtime_dir: z.string().default("/var/run/mesos"),
  isolation: z.string().default("posix/cpu,posix/mem"),
  cgroups_enable_cfs: z.boolean().default(false),
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
    sandboxFetch: SandboxFetch,
    provisioner: optional(Provisioner),
    metrics: Metrics,
  },
  config,
  setup(ctx, { isolators, launcher, containerLogger, sandboxFetch, provisioner, metrics }) {
    const named = ctx.config.containerizers.split(",").map((name) => name.trim());
    if (!named.includes("mesos")) ctx.skip("--containerizers does not name mesos");
    checkIsolation(
      ctx.config.isolation,
      isolators.map(({ name }) => name),
    );
    const containerizer = new MesosContainerizer({
      isolators,
      launcher,
      containerLogger,
      sandboxFetch,
      provisioner,
      recordsDirectory: recordsDirectory(ctx.config.runtime_dir, ctx.config.work_dir),
      destroyErrors: metrics.counter("containerizer/mesos/container_destroy_errors"),
      cfs: ctx.config.cgroups_enable_cfs,
      clock: ctx.clock,
      logger: ctx.logger,
    });
    ctx.bind(Containerizer, containerizer);
    return { start: () => containerizer.prepareDirectories() };
  },
});
