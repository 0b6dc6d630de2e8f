import { join } from "node:path";
import { Metrics } from "../../sdk/contracts/metrics.js";
import { Registry } from "../../sdk/contracts/registry.js";
import { definePlugin, z } from "../../sdk/plugin/index.js";
import { RegistryMetrics, registryTimeouts } from "../../sdk/registry/index.js";
import { EmbeddedRegistry } from "./embedded-registry.js";

export default definePlugin({
  name: "embedded-registry",
  version: "1.0.0",
  description: "Keeps the master's durable facts in log files below work_dir",
  targets: ["master"],
  provides: [Registry],
  requires: { metrics: Metrics },
  config: z.strictObject({
    work_dir: z
      .string()
      .min(1)
      .meta({ description: "The master's work directory; `registry` is made in it." }),
    ...registryTimeouts,
  }),
  setup(ctx, { metrics }) {
    const registryMetrics = new RegistryMetrics(metrics);
    const registry = new EmbeddedRegistry({
      directory: join(ctx.config.work_dir, "registry"),
      clock: ctx.clock,
      logger: ctx.logger,
      metrics: registryMetrics,
      fetchTimeout: ctx.config.registry_fetch_timeout,
      storeTimeout: ctx.config.registry_store_timeout,
    });
    // It serves as soon as it has recovered.
    registryMetrics.showLog({ replicas: 1, recovered: () => registry.recovered });
    ctx.bind(Registry, registry);
    return { start: () => registry.prepare(), stop: () => registry.close() };
  },
});
