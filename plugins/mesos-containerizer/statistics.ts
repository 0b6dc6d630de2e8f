import { cpus as processors, totalmem } from "node:os";
import type { ResourceStatistics } from "../../proto/gen/mesos/v1/mesos.js";
import type { ContainerRequest } from "../../sdk/contracts/containerizer.js";

const BYTES_PER_MB = 1024 * 1024;

/**
 * What a container was promised and may use at most: without a limit of its own its request, for CPUs only where CFS keeps it to that. One
 * without end is what the host has.
 */
export function limitStatistics(
  { resources, limits }: ContainerRequest,
  { cfs }: { readonly cfs: boolean },
): Partial<ResourceStatistics> {
  const statistics: Partial<ResourceStatistics> = {};
  const { cpus, mem } = resources;
  if (cpus > 0) statistics.cpus_soft_limit = cpus;
  const cpusLimit = limits.cpus ?? (cfs && cpus > 0 ? cpus : undefined);
  if (cpusLimit !== undefined) {
    statistics.cpus_limit = Number.isFinite(cpusLimit) ? cpusLimit : processors().length;
  }
  if (mem > 0) statistics.mem_soft_limit_bytes = bytes(mem);
  const memLimit = limits.mem ?? (mem > 0 ? mem : undefined);
  if (memLimit !== undefined) {
    statistics.mem_limit_bytes = Number.isFinite(memLimit) ? bytes(memLimit) : BigInt(totalmem());
  }
  return statistics;
}

const bytes = (megabytes: number): bigint => BigInt(Math.round(megabytes * BYTES_PER_MB));
