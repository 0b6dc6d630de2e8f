import { join } from "node:path";
import { Metrics } from "../../sdk/contracts/metrics.js";
import { Registry } from "../../sdk/contracts/registry.js";
import { definePlugin, durationText, z } from "../../sdk/plugin/index.js";
import { RegistryMetrics } from "../../sdk/registry/index.js";
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
    registry_fetch_timeout: durationText("1mins"),
    registry_store_timeout: durationText("20secs"),
  }),
  setup(ctx, { metrics }) {
    const registry = new EmbeddedRegistry({
      directory: join(ctx.config.work_dir, "registry"),
      clock: ctx.clock,
      logger: ctx.logger,
      metrics: new RegistryMetrics(metrics),
      fetchTimeout: ctx.config.registry_fetch_timeout,
      storeTimeout: ctx.config.registry_store_timeout,
    });
    // Under these names Mesos shows its log of replicas; this log has one, which serves from its recovery on.
    metrics.gauge("registrar/log/ensemble_size", () => 1);
    metrics.gauge("registrar/log/recovered", () => (registry.recovered ? 1 : 0));
    ctx.bind(Registry, registry);
    return { stop: () => registry.close() };
  },
});
