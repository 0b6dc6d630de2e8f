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
    if (!isAsked(ctx.config)) ctx.skip("isolation does not name network/cni");
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
    // Without networks there is nothing to do but at the start, so the command need not wait for anybody.
    const { name } = isolator;
    ctx.bind(Isolator, active ? isolator : { name, prepare: (request) => isolator.prepare(request) });
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

/**
 * Mesos adds `network/cni` to every list without a network isolator (`network/ports` is none). Here that is done where it makes a
 * difference: networks are given, or containers may have a root file system, which then gets the host's network files.
 */
function isAsked({
  isolation,
  network_cni_config_dir: configs,
  network_cni_plugins_dir: plugins,
}: Config): boolean {
  const named = isolation.split(",").map((name) => name.trim());
  if (named.includes("network/cni")) return true;
  const others = named.some((name) => name.startsWith("network/") && name !== "network/ports");
  return !others && (named.includes("filesystem/linux") || Boolean(configs) || Boolean(plugins));
}

/** Of this agent alone: several on one host must not take one another's containers for orphans. */
function rootOf({ work_dir, runtime_dir, network_cni_root_dir_persist: persist }: Config): string {
  if (persist) return resolve(work_dir, "isolators/network/cni");
  const agent = createHash("sha256").update(resolve(work_dir)).digest("hex").slice(0, 16);
  return resolve(runtime_dir, "isolators/network/cni", agent);
}
