import { createHash } from "node:crypto";
import { resolve } from "node:path";
import { Isolator } from "../../sdk/contracts/isolator.js";
import { messageOf } from "../../sdk/errors/index.js";
import { definePlugin, durationText, z } from "../../sdk/plugin/index.js";
import { CniIsolator } from "./cni-isolator.js";
import { readDefaultDns } from "./default-dns.js";
import { checkHost } from "./host-check.js";
import { NetworkConfigs } from "./network-configs.js";
import { shareMount, unshareMount } from "./network-namespace.js";
import { PluginChain } from "./plugin-chain.js";
import { PluginRunner } from "./plugin-runner.js";

const config = z.strictObject({
  isolation: z.string().default("posix/cpu,posix/mem"),
  work_dir: z.string().min(1),
  runtime_dir: z.string().default("/var/run/mesos"),
  network_cni_plugins_dir: z.string().optional().meta({ description: "Colon-separated." }),
  network_cni_config_dir: z.string().optional(),
  network_cni_root_dir_persist: z.boolean().default(false),
  network_cni_metrics: z.boolean().default(true),
  default_container_dns: z
    .unknown()
    .transform((value, check) => {
      try {
        return readDefaultDns(value ?? {});
      } catch (error) {
        check.issues.push({ code: "custom", message: messageOf(error), input: value });
        return z.NEVER;
      }
    })
    .optional(),
  plugin_timeout: durationText("1mins").meta({ description: "A CNI plugin that takes longer is killed." }),
});

type Config = z.output<typeof config>;

export default definePlugin({
  name: "cni-isolator",
  version: "1.0.0",
  description: "network/cni: joins containers to networks of the Container Network Interface",
  targets: ["agent"],
  provides: [Isolator],
  config,
  setup(ctx) {
    const named = ctx.config.isolation.split(",").map((name) => name.trim());
    if (!named.includes("network/cni")) ctx.skip("isolation does not name network/cni");
    const { clock, logger } = ctx;
    const pluginPath = ctx.config.network_cni_plugins_dir ?? "";
    const directory = ctx.config.network_cni_config_dir ?? "";
    const active = pluginPath !== "" || directory !== "";
    const root = rootOf(ctx.config);
    const configs = new NetworkConfigs({ directory, pluginPath, logger });
    const runner = new PluginRunner({ pluginPath, timeout: ctx.config.plugin_timeout, clock, logger });
    const isolator = new CniIsolator({
      root,
      configs: active ? configs : undefined,
      chain: new PluginChain({ runner, program: (type) => configs.program(type) }),
      dns: ctx.config.default_container_dns ?? { byNetwork: new Map(), fallback: undefined },
      measures: ctx.config.network_cni_metrics,
      clock,
      logger,
    });
    ctx.bind(Isolator, isolator);
    return {
      async start() {
        if (!active) return;
        await checkHost({ directory, pluginPath });
        await shareMount(root);
        const networks = await configs.inspect();
        logger.info({ networks }, "knows CNI networks");
      },
      async stop() {
        isolator.stop();
        if (!active) return;
        await unshareMount(root).catch((error: unknown) =>
          logger.debug({ err: error }, "the directory of the networks stays mounted"),
        );
      },
    };
  },
});

/** Of this agent alone: several on one host must not take one another's containers for orphans. */
function rootOf({ work_dir, runtime_dir, network_cni_root_dir_persist: persist }: Config): string {
  if (persist) return resolve(work_dir, "isolators/network/cni");
  const agent = createHash("sha256").update(resolve(work_dir)).digest("hex").slice(0, 16);
  return resolve(runtime_dir, "isolators/network/cni", agent);
}
