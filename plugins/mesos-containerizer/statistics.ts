import type { ResourceStatistics } from "../../proto/gen/mesos/v1/mesos.js";
import type { ContainerRequest } from "../../sdk/contracts/containerizer.js";

const BYTES_PER_MB = 1024 * 1024;

/** What a container was promised and may use at most; without limits of its own, its memory limit is its request. */
export function limitStatistics({ resources, limits }: ContainerRequest): Partial<ResourceStatistics> {
  const statistics: Partial<ResourceStatistics> = {};
  const { cpus, mem } = resources;
  if (cpus > 0) statistics.cpus_soft_limit = cpus;
  if (limits.cpus !== undefined && Number.isFinite(limits.cpus)) statistics.cpus_limit = limits.cpus;
  if (mem > 0) {
    statistics.mem_soft_limit_bytes = BigInt(Math.round(mem * BYTES_PER_MB));
    const limit = limits.mem ?? mem;
    if (Number.isFinite(limit)) statistics.mem_limit_bytes = BigInt(Math.round(limit * BYTES_PER_MB));
  }
  return statistics;
}
