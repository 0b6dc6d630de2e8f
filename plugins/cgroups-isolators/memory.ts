import { totalmem } from "node:os";
import type { ResourceStatistics } from "../../proto/gen/mesos/v1/mesos.js";
import type { Clock } from "../../sdk/contracts/clock.js";
import type { ContainerRequest } from "../../sdk/contracts/containerizer.js";
import type { Contribution } from "../../sdk/contracts/contribution.js";
import type { ContainerLimitation, ContainerUpdate } from "../../sdk/contracts/isolator.js";
import { unavailableIsolation } from "../../sdk/isolation/index.js";
import type { Cgroup, MemoryPressureCount } from "../../sdk/node-cgroup/index.js";
import { pause } from "../../sdk/time/index.js";
import { GroupIsolator, type GroupIsolatorOptions } from "./group-isolator.js";
import { memoryLimitation, ranIntoLimit } from "./memory-limitation.js";
import { memoryLimits, oomScoreAdjust } from "./memory-limits.js";
import { OomSweep } from "./oom-sweep.js";

/**
 * A container is watched once it has lived this long. Most that run out of memory earlier end by it, which is found out at their end;
 * one whose child alone was killed is ended as the watch begins. So those that live for an instant cost nothing here.
 */
const WATCH_AFTER_MS = 1000;

export interface MemoryOptions extends GroupIsolatorOptions {
  /** `--cgroups_limit_swap` */
  readonly limitSwap: boolean;
  readonly clock: Clock;
}

/** `cgroups/mem`: a container that needs more memory than its limit is ended, and no other one. */
export class MemoryIsolator extends GroupIsolator {
  private readonly limitSwap: boolean;
  private readonly clock: Clock;
  private readonly sweep: OomSweep;
  /** Containers go on without the agent, and whoever tells of their events ends with it. */
  private stopping = false;
  private readonly pressure = new Map<string, MemoryPressureCount>();

  constructor(options: MemoryOptions) {
    super(options);
    this.limitSwap = options.limitSwap;
    this.clock = options.clock;
    this.sweep = new OomSweep(options.clock);
  }

  override async start(trial: Cgroup): Promise<void> {
    if (!this.limitSwap) return;
    if (this.groups.host.version("memory") === 2)
      throw unavailableIsolation(
        this.name,
        "cgroup v1 for --cgroups_limit_swap, and v2 has the memory controller: leave that flag out",
      );
    if (trial.memory.stat().usageWithSwap === undefined)
      throw unavailableIsolation(
        this.name,
        "the kernel's swap accounting for --cgroups_limit_swap: boot with swapaccount=1",
      );
  }

  override async stop(): Promise<void> {
    this.stopping = true;
    this.sweep.stop();
    for (const count of this.pressure.values()) count[Symbol.dispose]();
    this.pressure.clear();
  }

  async update(containerId: string, { resources, limits }: ContainerUpdate): Promise<void> {
    const group = this.groups.of(containerId, this.controllers);
    if (group === undefined) return;
    const { soft, hard } = memoryLimits(resources, limits.mem);
    group.memory.setSoftLimit(soft);
    // Never lowered: what is in use would be lost to the OOM killer.
    const present = group.memory.limit();
    if (hard === undefined || (present !== undefined && hard > present)) this.setHardLimit(group, hard);
  }

  /** Ends with a limitation when memory ran out, even if what the kernel killed was but one of the container's processes. */
  async watch(containerId: string, signal: AbortSignal): Promise<ContainerLimitation> {
    await pause(this.clock, WATCH_AFTER_MS, signal);
    signal.throwIfAborted();
    const group = this.groups.of(containerId, this.controllers);
    if (group === undefined) return never(signal);
    const count = group.memory.countPressure();
    if (count !== undefined) this.pressure.set(containerId, count);
    try {
      await group.memory.outOfMemory(signal);
    } catch (error) {
      if (signal.aborted || !group.exists()) throw error;
      if (this.stopping) return never(signal);
      this.logger.warn(
        { err: error, container: containerId },
        "no OOM events; looking once a second instead",
      );
      await this.sweep.wait(group, signal);
    }
    return memoryLimitation(group);
  }

  async verdict(containerId: string): Promise<ContainerLimitation | undefined> {
    const group = this.groups.of(containerId, this.controllers);
    return group !== undefined && ranIntoLimit(group) ? memoryLimitation(group) : undefined;
  }

  protected override setUp(
    group: Cgroup,
    { resources, limits, task, containerId: { parent } }: ContainerRequest,
  ): Contribution | undefined {
    const both = memoryLimits(resources, limits.mem);
    group.memory.setSoftLimit(both.soft);
    this.setHardLimit(group, both.hard);
    const adjust = task === undefined && parent === undefined ? undefined : oomScoreAdjust(both, totalmem());
    return adjust === undefined ? undefined : { oomScoreAdjust: adjust };
  }

  protected override measure(group: Cgroup, containerId: string): Partial<ResourceStatistics> {
    const { usage, usageWithSwap, kernel, kernelTcp, file, anon, mappedFile, swap, unevictable } =
      group.memory.stat();
    const statistics: Partial<ResourceStatistics> = {
      mem_total_bytes: BigInt(usage),
      mem_file_bytes: BigInt(file),
      mem_cache_bytes: BigInt(file),
      mem_anon_bytes: BigInt(anon),
      mem_rss_bytes: BigInt(anon),
      mem_mapped_file_bytes: BigInt(mappedFile),
      mem_unevictable_bytes: BigInt(unevictable),
    };
    if (swap !== undefined) statistics.mem_swap_bytes = BigInt(swap);
    if (kernel !== undefined) statistics.mem_kmem_usage_bytes = BigInt(kernel);
    if (kernelTcp !== undefined) statistics.mem_kmem_tcp_usage_bytes = BigInt(kernelTcp);
    if (this.limitSwap && usageWithSwap !== undefined)
      statistics.mem_total_memsw_bytes = BigInt(usageWithSwap);
    if (this.groups.host.version("memory") === 1) Object.assign(statistics, this.pressureOf(containerId));
    return statistics;
  }

  protected override forget(containerId: string): void {
    this.pressure.get(containerId)?.[Symbol.dispose]();
    this.pressure.delete(containerId);
  }

  private pressureOf(containerId: string): Partial<ResourceStatistics> {
    const { low, medium, critical } = this.pressure.get(containerId)?.read() ?? NO_PRESSURE;
    return {
      mem_low_pressure_counter: BigInt(low),
      mem_medium_pressure_counter: BigInt(medium),
      mem_critical_pressure_counter: BigInt(critical),
    };
  }

  private setHardLimit(group: Cgroup, bytes: number | undefined): void {
    group.memory.setLimit(bytes, { includingSwap: this.limitSwap });
  }
}

const NO_PRESSURE = { low: 0, medium: 0, critical: 0 };

/** Rejects when the watch ends. */
const never = (signal: AbortSignal): Promise<never> =>
  new Promise((_resolve, reject) => {
    if (signal.aborted) reject(signal.reason);
    else signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
