import { Allocator } from "../../sdk/contracts/allocator.js";
import { Clock } from "../../sdk/contracts/clock.js";
import { Metrics } from "../../sdk/contracts/metrics.js";
import { Random } from "../../sdk/contracts/random.js";
import { bytesText, definePlugin, durationText, faultDomain, z } from "../../sdk/plugin/index.js";
import { parseQuantities, type Quantities } from "../../sdk/resources/index.js";
import { DrfAllocator } from "./drf-allocator.js";
import { WhitelistFile } from "./whitelist-file.js";

/** How long a run keeps the event loop; the master then needs some time for the offers, too. */
const SLICE_MS = 10;

/** Zero would be a loop that never ends. */
const MIN_INTERVAL_MS = 1;

const sorter = z.enum(["drf", "random"]).default("drf");

/** `cpus:0.01|mem:32`: alternatives; empty: none. */
const quantitiesText = z
  .string()
  .default("cpus:0.01|mem:32")
  .transform((text, check): readonly Quantities[] => {
    const parts = text.split("|").filter((part) => part.trim() !== "");
    return parts.flatMap((part) => {
      const quantities = parseQuantities(part);
      if (quantities.ok) return [quantities.value];
      check.issues.push({ code: "custom", message: quantities.error, input: text });
      return [];
    });
  });

/** `gpus,disk`, or a list. */
const names = z
  .union([z.string(), z.array(z.string())])
  .default([])
  .transform((value) => {
    const list = typeof value === "string" ? value.split(",") : value;
    return new Set(list.map((name) => name.trim()).filter((name) => name !== ""));
  });

export default definePlugin({
  name: "drf-allocator",
  version: "1.0.0",
  description: "Shares the cluster by dominant resource fairness over roles and frameworks",
  targets: ["master"],
  provides: [Allocator],
  requires: { clock: Clock, random: Random, metrics: Metrics },
  config: z.strictObject({
    allocation_interval: durationText("1secs"),
    role_sorter: sorter,
    framework_sorter: sorter,
    min_allocatable_resources: quantitiesText,
    fair_sharing_excluded_resource_names: names,
    filter_gpu_resources: z.boolean().default(true),
    domain: faultDomain().optional(),
    whitelist: z.string().optional(),
    allocator_agent_recovery_factor: z.number().min(0).max(1).default(0.8),
    allocator_recovery_timeout: durationText("10mins"),
    offer_constraints_re2_max_mem: bytesText("4KB"),
    offer_constraints_re2_max_program_size: z.int().min(0).default(100),
  }),
  setup(ctx, { clock, random, metrics }) {
    const { config } = ctx;
    const allocator = new DrfAllocator({
      clock,
      random,
      metrics,
      allocationInterval: Math.max(config.allocation_interval, MIN_INTERVAL_MS),
      roleSorter: config.role_sorter,
      frameworkSorter: config.framework_sorter,
      minAllocatable: config.min_allocatable_resources,
      fairSharingExcluded: config.fair_sharing_excluded_resource_names,
      filterGpuResources: config.filter_gpu_resources,
      domain: config.domain,
      sliceMs: SLICE_MS,
      patternLimits: {
        maxMem: config.offer_constraints_re2_max_mem,
        maxProgramSize: config.offer_constraints_re2_max_program_size,
      },
      agentRecoveryFactor: config.allocator_agent_recovery_factor,
      recoveryTimeout: config.allocator_recovery_timeout,
    });
    ctx.bind(Allocator, allocator);
    const { whitelist: path } = config;
    const whitelist =
      path === undefined
        ? undefined
        : new WhitelistFile({
            path,
            clock,
            logger: ctx.logger,
            changed: (names) => allocator.updateWhitelist(names),
          });
    return {
      start: () => whitelist?.start(),
      stop: () => {
        whitelist?.stop();
        allocator.stop();
      },
    };
  },
});
