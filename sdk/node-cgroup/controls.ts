/** CPU time that may be used in each period. */
export interface CpuQuota {
  /** Microseconds of CPU time, at least 1,000; may exceed the period, for more than one CPU. */
  readonly quotaUs: number;
  /** Microseconds, 1,000 to 1,000,000. */
  readonly periodUs: number;
}

/** How often the quota was used up. All zero where there was none. */
export interface CpuThrottling {
  readonly periods: number;
  readonly throttledPeriods: number;
  readonly throttledSeconds: number;
}

export interface CpuControl {
  /**
   * Weight against sibling groups when CPUs are short: 1024 is one CPU's worth by convention. v1 takes 2 to 262144, v2 stores
   * 100/1024 of it, 1 to 10000; what lies outside is moved to the nearest end.
   */
  setShares(shares: number): void;
  /** On v2 what its weight amounts to. */
  shares(): number;
  /** Undefined: no limit. */
  setQuota(quota: CpuQuota | undefined): void;
  quota(): CpuQuota | undefined;
  throttling(): CpuThrottling;
}

export interface CpuUsage {
  readonly userSeconds: number;
  readonly systemSeconds: number;
}

export interface CpuAccounting {
  /** Of this group and those below, processes that ended included. */
  usage(): CpuUsage;
}

export interface Cpuset {
  /** Lists of numbers and ranges, as the kernel has them: `0-3,8`. */
  readonly cpus: string;
  readonly mems: string;
}

export interface CpusetControl {
  set(cpuset: Partial<Cpuset>): void;
  /** What holds: on v2, where a group may name none, that of the groups above. */
  get(): Cpuset;
}

/** Bytes, of this group and those below; a field is absent where the kernel does not count it. */
export interface MemoryStat {
  readonly usage: number;
  /** With swap. v1 alone, with swap accounting. */
  readonly usageWithSwap?: number;
  readonly kernel?: number;
  /** Buffers of sockets. */
  readonly kernelTcp?: number;
  /** Page cache. */
  readonly file: number;
  readonly anon: number;
  readonly mappedFile: number;
  readonly swap?: number;
  readonly unevictable: number;
}

/** How often reclaim met this much resistance, since the count began; see cgroup v1's `memory.pressure_level`. */
export interface MemoryPressure {
  readonly low: number;
  readonly medium: number;
  readonly critical: number;
}

export interface MemoryPressureCount extends Disposable {
  /** Resolves when the kernel counts; rejects with a `CgroupError` when it cannot, which need not be listened to. */
  readonly ready: Promise<void>;
  /** The counts so far. */
  read(): MemoryPressure;
}

/** Time that processes lost waiting for memory (PSI). */
export interface MemoryStall {
  /** At least one waited. */
  readonly someSeconds: number;
  /** All waited. */
  readonly fullSeconds: number;
}

export interface MemoryLimitOptions {
  /** Also limits memory and swap together to the same figure (v1), or forbids swap (v2). Default false. */
  readonly includingSwap?: boolean;
}

/** How memory ran out. */
export interface OutOfMemory {
  /** Processes that the kernel killed so far: the first may still be to come. */
  readonly kills: number;
}

export interface MemoryControl {
  /** What the group is left with when the host runs short (v1 `memory.soft_limit_in_bytes`, v2 `memory.low`). Undefined: unset. */
  setSoftLimit(bytes: number | undefined): void;
  softLimit(): number | undefined;
  /**
   * Undefined: no limit. `errno` is EBUSY when the group uses more and v1 cannot reclaim it; v2 then ends processes until it fits.
   */
  setLimit(bytes: number | undefined, options?: MemoryLimitOptions): void;
  /** The group's own; those above it may be tighter. */
  limit(): number | undefined;
  usage(): number;
  /** The highest usage so far; undefined on v2 before Linux 5.19. */
  peak(): number | undefined;
  stat(): MemoryStat;
  /** All that `memory.stat` holds, in the kernel's names. */
  counters(): Readonly<Record<string, number>>;
  /** Processes of this group and those below that were killed for want of memory. */
  oomKills(): number;
  /**
   * Resolves as soon as the group ran out of memory, be it before the call. Rejects with the signal's reason when that comes first, and
   * with a `CgroupError` when the group is removed or this kind of event cannot be had. Costs nothing while it waits.
   */
  outOfMemory(signal: AbortSignal): Promise<OutOfMemory>;
  /** Starts to count pressure events. v1 alone: undefined on v2, which has `stall`. */
  countPressure(): MemoryPressureCount | undefined;
  /** Undefined on v1 and where the kernel has PSI switched off. */
  stall(): MemoryStall | undefined;
}

/** Permission to use device nodes. */
export interface DeviceRule {
  /** Character devices, block devices, or all. */
  readonly type: "c" | "b" | "a";
  /** Absent: any. */
  readonly major?: number | undefined;
  readonly minor?: number | undefined;
  /** Of `r`, `w` and `m` (mknod). */
  readonly access: string;
}

export interface DevicesControl {
  /**
   * Allows what one of the rules allows and denies everything else. On v2 the new rules take the place of the old ones in one step; on v1
   * what is in both stays allowed throughout.
   */
  set(rules: readonly DeviceRule[]): Promise<void>;
}

export interface PidsControl {
  /** How many processes and threads may be there at a time. Undefined: no limit. */
  setLimit(count: number | undefined): void;
  limit(): number | undefined;
  current(): number;
  /** How often fork failed for the limit. */
  refusals(): number;
}

export interface DeviceNumber {
  readonly major: number;
  readonly minor: number;
}

/** `Read`, `Write`, `Sync`, `Async`, `Discard` or `Total`. */
export type IoOperation = "Read" | "Write" | "Sync" | "Async" | "Discard" | "Total";

export interface IoCount {
  /** Absent where the kernel gives a bare number. */
  readonly operation?: IoOperation;
  readonly value: number;
}

/** What one device did for the group. Lists are empty where the kernel does not count. */
export interface IoDeviceStat {
  /** Absent: all devices together. */
  readonly device?: DeviceNumber;
  readonly sectors?: number;
  /** Milliseconds that the group had the device. */
  readonly time?: number;
  readonly serviced: readonly IoCount[];
  readonly serviceBytes: readonly IoCount[];
  /** Nanoseconds. */
  readonly serviceTime: readonly IoCount[];
  readonly waitTime: readonly IoCount[];
  readonly merged: readonly IoCount[];
  readonly queued: readonly IoCount[];
}

export interface IoStat {
  /** Counted above the I/O scheduler (v1 `blkio.throttle.*`), and all that v2 has (`io.stat`). */
  readonly throttling: readonly IoDeviceStat[];
  /** Counted by the scheduler, CFQ or BFQ (v1). */
  readonly scheduler: readonly IoDeviceStat[];
  /** With the groups below. */
  readonly schedulerRecursive: readonly IoDeviceStat[];
}

export interface IoControl {
  stat(): IoStat;
}

export interface HugetlbControl {
  /** Page sizes that this host has, e.g. `2MB`. */
  readonly pageSizes: readonly string[];
  /** Undefined: no limit. */
  setLimit(pageSize: string, bytes: number | undefined): void;
  limit(pageSize: string): number | undefined;
  usage(pageSize: string): number;
}

/** v1 alone. */
export interface NetClsControl {
  /** 0xAAAABBBB for the traffic class AAAA:BBBB; 0 for none. */
  setClassId(classId: number): void;
  classId(): number;
}

/** v1 alone. */
export interface NetPrioControl {
  setPriority(networkInterface: string, priority: number): void;
  priorities(): Readonly<Record<string, number>>;
}

export interface PerfEventControl {
  /** What `perf stat --cgroup` takes: the path below the mount. */
  readonly name: string;
  /** Its descriptor is what perf_event_open(2) takes with PERF_FLAG_PID_CGROUP. */
  readonly directory: string;
}
