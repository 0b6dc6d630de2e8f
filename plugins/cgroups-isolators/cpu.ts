import { setTimeout as sleep } from "node:timers/promises";
import type { ResourceStatistics } from "../../proto/gen/mesos/v1/mesos.js";
import type { ContainerRequest } from "../../sdk/contracts/containerizer.js";
import type { ContainerUpdate } from "../../sdk/contracts/isolator.js";
import { type Cgroup, CgroupError, type CpuQuota } from "../../sdk/node-cgroup/index.js";
import type { Resources } from "../../sdk/resources/index.js";
import { GroupIsolator, type GroupIsolatorOptions } from "./group-isolator.js";

/** Mesos's figures for one CPU: those of v1 are shares, those of v2 weights. */
const PER_CPU = { 1: { normal: 1024, revocable: 10, least: 2 }, 2: { normal: 100, revocable: 1, least: 1 } };
/** What one unit of v2's weight is in shares. */
const SHARES_PER_WEIGHT = 1024 / 100;

const PERIOD_US = 100_000;
const LEAST_QUOTA_US = 1000;

/**
 * v1 refuses a quota that is less than that of a group below (EINVAL), and counts one that was removed until the last CPU has forgotten
 * it: some 30 ms on an idle machine. So long a container that shrinks after one within it ended may have to wait, in milliseconds.
 */
const UNLINKED_MS = 5000;
const RETRY_MS = 10;

export interface CpuFlags {
  /** `--cgroups_enable_cfs` */
  readonly enableCfs: boolean;
  /** `--revocable_cpu_low_priority` */
  readonly revocableLowPriority: boolean;
  /** `--cgroups_cpu_enable_pids_and_tids_count` */
  readonly countProcesses: boolean;
}

/** What the kernel is told for these resources, as Mesos reckons it. */
export function cpuSettings(
  { resources, limit }: { readonly resources: Resources; readonly limit: number | undefined },
  { version, flags }: { readonly version: 1 | 2; readonly flags: CpuFlags },
): { readonly shares: number; readonly quota: CpuQuota | "none" | undefined } {
  const { cpus } = resources;
  const { normal, revocable, least } = PER_CPU[version];
  const low = flags.revocableLowPriority && resources.revocable().cpus > 0;
  const amount = Math.max(Math.trunc((low ? revocable : normal) * cpus), least);
  return {
    shares: version === 1 ? amount : amount * SHARES_PER_WEIGHT,
    quota: limit === undefined ? (flags.enableCfs ? quotaOf(cpus) : undefined) : quotaOf(limit),
  };
}

const quotaOf = (cpus: number): CpuQuota | "none" =>
  Number.isFinite(cpus)
    ? { quotaUs: Math.max(Math.trunc(PERIOD_US * cpus), LEAST_QUOTA_US), periodUs: PERIOD_US }
    : "none";

/** `cgroups/cpu`: CPU time by request when it is short, and no more than the limit ever. */
export class CpuIsolator extends GroupIsolator {
  private readonly flags: CpuFlags;

  constructor(options: GroupIsolatorOptions & { readonly flags: CpuFlags }) {
    super(options);
    this.flags = options.flags;
  }

  async update(containerId: string, { resources, limits }: ContainerUpdate): Promise<void> {
    const group = this.groups.of(containerId, this.controllers);
    if (group === undefined) return;
    const end = performance.now() + UNLINKED_MS;
    for (;;) {
      try {
        return this.set(group, resources, limits.cpus);
      } catch (error) {
        if (!(error instanceof CgroupError && error.errno === "EINVAL") || performance.now() > end)
          throw error;
      }
      await sleep(RETRY_MS);
    }
  }

  protected override setUp(group: Cgroup, { resources, limits }: ContainerRequest): undefined {
    this.set(group, resources, limits.cpus);
  }

  protected override measure(group: Cgroup): Partial<ResourceStatistics> {
    const { userSeconds, systemSeconds } = group.cpuacct.usage();
    return {
      cpus_user_time_secs: userSeconds,
      cpus_system_time_secs: systemSeconds,
      ...(this.flags.countProcesses && {
        processes: group.processes().length,
        threads: group.threads().length,
      }),
      ...(this.flags.enableCfs || this.version === 2 ? throttling(group) : {}),
    };
  }

  private set(group: Cgroup, resources: Resources, limit: number | undefined): void {
    const { shares, quota } = cpuSettings({ resources, limit }, { version: this.version, flags: this.flags });
    group.cpu.setShares(shares);
    // Without a limit v1 leaves what an earlier one set, and v2 lifts it, as Mesos's do.
    if (quota !== undefined) group.cpu.setQuota(quota === "none" ? undefined : quota);
    else if (this.version === 2) group.cpu.setQuota(undefined);
  }

  private get version(): 1 | 2 {
    return this.groups.host.version("cpu") ?? 1;
  }
}

function throttling(group: Cgroup): Partial<ResourceStatistics> {
  const { periods, throttledPeriods, throttledSeconds } = group.cpu.throttling();
  return {
    cpus_nr_periods: periods,
    cpus_nr_throttled: throttledPeriods,
    cpus_throttled_time_secs: throttledSeconds,
  };
}
