import { Metrics } from "../../sdk/contracts/metrics.js";
import { Registry } from "../../sdk/contracts/registry.js";
import { definePlugin } from "../../sdk/plugin/index.js";
import { RegistryMetrics } from "../../sdk/registry/index.js";
import { MemoryRegistry } from "./memory-registry.js";

export default definePlugin({
  name: "memory-registry",
  version: "1.0.0",
  description: "Keeps the master's durable facts in memory only (--registry=in_memory)",
  targets: ["master"],
  provides: [Registry],
  requires: { metrics: Metrics },
  setup: (ctx, { metrics }) => ctx.bind(Registry, new MemoryRegistry(new RegistryMetrics(metrics))),
});
