import { Isolator } from "../../sdk/contracts/isolator.js";
import { isolationNames } from "../../sdk/isolation/index.js";
import { definePlugin, z } from "../../sdk/plugin/index.js";
import { cpuUsage, kernelUnits, memoryUsage } from "./usage.js";

/** They limit nothing, as in Mesos; they measure. */
export default definePlugin({
  name: "posix-isolators",
  version: "1.0.0",
  description: "posix/cpu and posix/mem: measure what a container's processes use",
  targets: ["agent"],
  provides: [Isolator],
  config: z.strictObject({ isolation: z.string().default("posix/cpu,posix/mem") }),
  setup(ctx) {
    const units = kernelUnits();
    const built: readonly Isolator[] = [
      { name: "posix/cpu", nesting: true, usage: (_containerId, pid) => cpuUsage(pid, units) },
      { name: "posix/mem", nesting: true, usage: (_containerId, pid) => memoryUsage(pid, units) },
    ];
    const named = isolationNames(ctx.config.isolation);
    const active = built.filter(({ name }) => named.has(name));
    if (active.length === 0) ctx.skip("isolation names neither posix/cpu nor posix/mem");
    for (const isolator of active) ctx.bind(Isolator, isolator);
  },
});
