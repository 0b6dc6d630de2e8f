import type { Cgroup, CgroupVersion, Controller } from "./cgroup.js";

export interface CgroupHostOptions {
  /** Mounts at this directory and below count. Default `/sys/fs/cgroup`. */
  readonly hierarchy?: string;
  /** Controllers to mount below `hierarchy`, as v1, where no hierarchy has them. Needs root. */
  readonly mount?: readonly Controller[];
  /** Name of the directory that holds a v2 group's processes. Default `leaf`. */
  readonly leaf?: string;
  /** What mount(8) knows, and what the kernel has: for tests. Defaults `/proc/self/mountinfo` and `/proc/cgroups`. */
  readonly mountInfo?: string;
  readonly kernelControllers?: string;
}

/** What `list` gives. */
export interface ListOptions {
  /** How many levels below the root. Default: all. */
  readonly depth?: number;
}

/**
 * The cgroup hierarchies of a host. Each controller is in one of them, v1 or v2; a hybrid host has some in either.
 *
 * `freezer`, `devices`, `perf_event` and `cpuacct` are part of every v2 hierarchy; where v1 has them mounted they are used there.
 */
export interface CgroupHost {
  readonly hierarchy: string;
  /** Those that can be used. */
  readonly controllers: readonly Controller[];
  /** Undefined: it cannot be used; `lack` says why. */
  version(controller: Controller): CgroupVersion | undefined;
  /** Where the controller's hierarchy is mounted. */
  mountPoint(controller: Controller): string | undefined;
  /** Why the controller cannot be used and how to get it, in one line; undefined when it can. */
  lack(controller: Controller): string | undefined;
  /**
   * @param path below each mount point; `..` and empty names are refused
   * @throws CgroupError for a controller that cannot be used, with what `lack` says
   */
  group(path: string, controllers: readonly Controller[]): Cgroup;
  /** Paths of the groups below `root` in any of the hierarchies, as `group` takes them; each after the one that it is in. */
  list(root: string, options?: ListOptions): string[];
  /** Ends the helper process, where one was needed. Watches that are still open are rejected. */
  close(): Promise<void>;
}
