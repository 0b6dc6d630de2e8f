import type {
  CpuAccounting,
  CpuControl,
  CpusetControl,
  DevicesControl,
  HugetlbControl,
  IoControl,
  MemoryControl,
  NetClsControl,
  NetPrioControl,
  PerfEventControl,
  PidsControl,
} from "./controls.js";

/** Resource controllers by their present names; `io` is `blkio` on v1. */
export type Controller =
  | "cpu"
  | "cpuacct"
  | "cpuset"
  | "memory"
  | "devices"
  | "freezer"
  | "pids"
  | "io"
  | "hugetlb"
  | "net_cls"
  | "net_prio"
  | "perf_event";

export type CgroupVersion = 1 | 2;

/** How long to go on trying, in milliseconds of real time. */
export interface Patience {
  /** Default 60,000. */
  readonly timeoutMs?: number;
}

/** Which groups are meant. */
export interface Reach {
  /** Also those below this one. Default false. */
  readonly below?: boolean;
}

/**
 * One group: a directory in every hierarchy that one of its controllers is mounted in. Making the object touches nothing; several may
 * stand for the same group. All failures are `CgroupError`s.
 *
 * Methods that return no promise are synchronous on purpose: cgroup files live in the kernel's memory, and a write of some
 * microseconds costs less than a trip through a thread pool.
 */
export interface Cgroup {
  /** Below each hierarchy's mount point, without a leading slash, e.g. `mesos/4fd0`. */
  readonly path: string;
  readonly controllers: readonly Controller[];
  /**
   * Absolute directories that a process joins to be in this group, one a hierarchy. On v2 that is the group's `leaf`, since there only
   * groups without groups below them can hold both processes and limits.
   */
  readonly directories: readonly string[];

  /**
   * Makes the group, with what lies above it, ready for limits and processes: controllers switched on from the top (v2), CPUs and
   * memory nodes taken from the parent (cpuset on v1). Idempotent.
   */
  create(): void;
  /** Whether it is there in every hierarchy. */
  exists(): boolean;
  /** Moves a process, with its threads, here. `errno` is ESRCH when it is gone. */
  add(pid: number): void;
  /** Ascending. None when the group is gone. */
  processes(reach?: Reach): number[];
  /** Likewise, thread ids. */
  threads(reach?: Reach): number[];

  /**
   * Stops every process of this group and those below; resolves when they stand still. Needs `freezer`. Refused, as `kill` is, for a
   * group that holds this very process.
   */
  freeze(patience?: Patience): Promise<void>;
  /** Lets them go on. */
  thaw(): Promise<void>;
  /**
   * Ends every process of this group and those below with SIGKILL, so that none of them gets away by forking; resolves when none is
   * left, at once when there is no such group. Needs `freezer`.
   */
  kill(patience?: Patience): Promise<void>;
  /**
   * Removes the group and those below. Waits for processes that are just ending, kills none: `errno` is EBUSY when some are left at
   * the end of one's patience. Idempotent.
   */
  destroy(patience?: Patience): Promise<void>;

  /** A control throws when the group was not given its controller. */
  readonly cpu: CpuControl;
  readonly cpuacct: CpuAccounting;
  readonly cpuset: CpusetControl;
  readonly memory: MemoryControl;
  readonly devices: DevicesControl;
  readonly pids: PidsControl;
  readonly io: IoControl;
  readonly hugetlb: HugetlbControl;
  readonly netCls: NetClsControl;
  readonly netPrio: NetPrioControl;
  readonly perfEvent: PerfEventControl;
}
