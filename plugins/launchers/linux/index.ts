import { Launcher } from "../../../sdk/contracts/launcher.js";
import { definePlugin, durationText, z } from "../../../sdk/plugin/index.js";
import { LinuxLauncher } from "./linux-launcher.js";

const config = z.strictObject({
  cgroups_hierarchy: z.string().min(1).default("/sys/fs/cgroup"),
  cgroups_root: z.string().min(1).default("mesos"),
  cgroups_destroy_timeout: durationText("1mins"),
});

export default definePlugin({
  name: "linux-launcher",
  version: "1.0.0",
  description:
    "Gives containers namespaces, a root file system, mounts and privileges of their own, each under a shim that outlives the agent",
  targets: ["agent"],
  provides: [Launcher],
  config,
  setup(ctx) {
    const launcher = new LinuxLauncher({
      hierarchy: ctx.config.cgroups_hierarchy,
      root: ctx.config.cgroups_root,
      destroyTimeoutMs: ctx.config.cgroups_destroy_timeout,
      logger: ctx.logger,
    });
    ctx.bind(Launcher, launcher);
    return {
      start: async () => {
        await launcher.start();
      },
      stop: () => launcher.stop(),
    };
  },
});
