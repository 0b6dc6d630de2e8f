import type { CgroupVersion, Controller } from "./cgroup.js";

/** One hierarchy: how its version makes, fills and empties groups. Directories are absolute, paths as `Cgroup.path`. */
export interface Tree {
  readonly version: CgroupVersion;
  readonly mountPoint: string;
  /** Those of its controllers that this host uses here. */
  readonly controllers: readonly Controller[];
  /** Where the limits of a group are. */
  directory(path: string): string;
  /** Where its processes are. */
  processDirectory(path: string): string;
  /** The file of its processes' threads. */
  readonly threadsFile: string;
  /** Makes the group and readies it for these controllers. */
  create(path: string, controllers: readonly Controller[]): void;
  /** A name in a group's directory that is part of the group, not a group in it. */
  isOwnPart(name: string): boolean;
  /** `directory` is a group's, or that of its processes; groups below it are meant too. */
  freeze(directory: string, deadline: number): Promise<void>;
  thaw(directory: string): void;
  kill(directory: string, deadline: number): Promise<void>;
}
