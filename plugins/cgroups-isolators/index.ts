import { Isolator } from "../../sdk/contracts/isolator.js";
import { definePlugin } from "../../sdk/plugin/index.js";
import { config } from "./config.js";
import { CgroupsFamily } from "./family.js";

/** Limit and measure containers through Linux control groups, v1 and v2. */
export default definePlugin({
  name: "cgroups-isolators",
  version: "1.0.0",
  description:
    "cgroups/cpu, mem, devices, pids, cpuset, blkio, io, hugetlb, net_cls, net_prio, perf_event and all",
  targets: ["agent"],
  provides: [Isolator],
  config,
  setup(ctx) {
    const family = new CgroupsFamily({ config: ctx.config, clock: ctx.clock, logger: ctx.logger });
    if (family.isolators.length === 0 && ctx.config.agent_subsystems === undefined)
      ctx.skip("isolation names no cgroups/...");
    for (const isolator of family.isolators) ctx.bind(Isolator, isolator);
    return { start: () => family.start(), stop: () => family.stop() };
  },
});
