import { totalmem } from "node:os";
import type { ContainerRequest } from "../../sdk/contracts/containerizer.js";
import { Resources } from "../../sdk/resources/index.js";
import type { HostSettings, ResourceSettings } from "./api-types.js";

const SHARES_PER_CPU = 1024;
const LEAST_SHARES = 2;
const CFS_PERIOD_US = 100_000;
const LEAST_QUOTA_US = 1000;
const BYTES_PER_MB = 1024 * 1024;
const LEAST_MEMORY = 32 * BYTES_PER_MB;

/** What a container is promised, and what it may use at most; `Infinity` stands for no limit. */
export interface Amounts {
  readonly resources: Resources;
  readonly limits: Readonly<Record<string, number>>;
}

/** A command task is its container: what its executor would have cost in Mesos is nobody's here. */
export function amountsOf({ task, resources, limits }: ContainerRequest): Amounts {
  if (task === undefined) return { resources, limits };
  const given = Object.entries(task.limits).map(([name, { value = 0 }]): [string, number] => [name, value]);
  return { resources: Resources.of(task.resources), limits: Object.fromEntries(given) };
}

const atLeastMemory = (mb: number): number => Math.max(Math.floor(mb) * BYTES_PER_MB, LEAST_MEMORY);
const quota = (cpus: number): number => Math.max(Math.floor(cpus * CFS_PERIOD_US), LEAST_QUOTA_US);

/** How amounts are told to the engine. */
export function resourceSettings(
  { resources, limits }: Amounts,
  options: { readonly cfs: boolean },
): ResourceSettings & Pick<HostSettings, "OomScoreAdj"> {
  const { cpus, mem } = resources;
  const settings: ResourceSettings & Pick<HostSettings, "OomScoreAdj"> = {};
  if (cpus > 0) settings.CpuShares = Math.max(Math.floor(cpus * SHARES_PER_CPU), LEAST_SHARES);
  const cpuLimit = limits.cpus ?? (options.cfs && cpus > 0 ? cpus : Number.POSITIVE_INFINITY);
  if (Number.isFinite(cpuLimit)) settings.CpuQuota = quota(cpuLimit);
  const memLimit = limits.mem;
  if (memLimit === undefined) {
    if (mem > 0) settings.Memory = Math.max(mem * BYTES_PER_MB, LEAST_MEMORY);
    return settings;
  }
  if (Number.isFinite(memLimit)) settings.Memory = atLeastMemory(memLimit);
  if (mem > 0) {
    settings.MemoryReservation = Math.max(mem * BYTES_PER_MB, LEAST_MEMORY);
    // It may use more than it was promised: then it goes first when the host runs short.
    if (memLimit > mem) settings.OomScoreAdj = 1000 - Math.floor((1000 * mem * BYTES_PER_MB) / totalmem());
  }
  return settings;
}

/** The engine takes -1 for no limit, and 0 for "as it is". */
const NO_LIMIT = -1;

const limitOf = (amount: number | undefined): number =>
  amount === undefined || amount <= 0 ? Number.POSITIVE_INFINITY : amount;

/**
 * What has to change of a running container; undefined: nothing. As in Mesos the memory limit never shrinks: what is in use could
 * not be taken back.
 */
export function resourceUpdate(
  before: ResourceSettings,
  wanted: ResourceSettings,
): ResourceSettings | undefined {
  const change: ResourceSettings = {};
  if (wanted.CpuShares !== undefined && wanted.CpuShares !== before.CpuShares) {
    change.CpuShares = wanted.CpuShares;
  }
  if (limitOf(wanted.CpuQuota) !== limitOf(before.CpuQuota)) {
    change.CpuQuota = wanted.CpuQuota ?? NO_LIMIT;
    change.CpuPeriod = CFS_PERIOD_US;
  }
  const soft = wanted.MemoryReservation ?? wanted.Memory;
  if (soft !== undefined && soft !== (before.MemoryReservation ?? before.Memory)) {
    change.MemoryReservation = soft;
  }
  if (limitOf(wanted.Memory) > limitOf(before.Memory)) {
    change.Memory = wanted.Memory ?? NO_LIMIT;
    // The engine gives as much swap as memory, and refuses memory beyond the sum.
    change.MemorySwap = wanted.Memory === undefined ? NO_LIMIT : 2 * wanted.Memory;
  }
  return Object.keys(change).length > 0 ? change : undefined;
}
