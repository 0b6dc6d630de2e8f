import { DrfAllocator } from "../../../plugins/drf-allocator/drf-allocator.js";
import type { DrfAllocatorOptions } from "../../../plugins/drf-allocator/options.js";
import { parseQuantities, type Quantities } from "../../../sdk/resources/index.js";
import type { AllocatorDependencies } from "../../../sdk/testing/allocator-world.js";

const quantities = (text: string): Quantities => {
  const parsed = parseQuantities(text);
  if (!parsed.ok) throw new Error(parsed.error);
  return parsed.value;
};

/** An allocator with Mesos's default settings. */
export function makeAllocator(
  dependencies: AllocatorDependencies,
  options: Partial<DrfAllocatorOptions> = {},
): DrfAllocator {
  return new DrfAllocator({
    ...dependencies,
    allocationInterval: 1000,
    roleSorter: "drf",
    frameworkSorter: "drf",
    minAllocatable: [quantities("cpus:0.01"), quantities("mem:32")],
    fairSharingExcluded: new Set(),
    filterGpuResources: true,
    domain: undefined,
    sliceMs: 10,
    patternLimits: { maxMem: 4096, maxProgramSize: 100 },
    agentRecoveryFactor: 0.8,
    recoveryTimeout: 600_000,
    ...options,
  });
}
