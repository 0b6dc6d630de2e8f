/** A mount inside a container's own mount namespace. */
export interface ContainerMount {
  /** Host path, or, with `type`, what the file system takes as its source (`tmpfs`, `overlay`, ...). */
  readonly source: string;
  /**
   * Where: absolute, as the container sees it (below its root file system, where it has one of its own), or relative to the
   * sandbox. Never left through a symbolic link of the container's.
   */
  readonly target: string;
  /** File system type; absent for a bind mount. */
  readonly type?: string | undefined;
  /** mount(8) words: `bind`, `rbind`, `ro`, `nosuid`, `rslave`, ..., and options of the file system (`lowerdir=...`). */
  readonly options?: readonly string[] | undefined;
  /** Make the target if it is missing. */
  readonly create?: "directory" | "file" | undefined;
  /** Of bind mounts: the mount namespace in which the source lies, e.g. `/proc/42/ns/mnt`; a path there without links. Absent: the host's. */
  readonly from?: string | undefined;
}

/** A root file system other than the host's. */
export interface RootFilesystem {
  /** Host path of an existing directory. */
  readonly path: string;
  /** What to mount first; targets are host paths. Seen by this container alone, so nothing is left of it on the host. */
  readonly mounts: readonly ContainerMount[];
}

/** A namespace of Linux that a container can have for itself. */
export type Namespace = "pid" | "ipc" | "mount" | "network" | "uts" | "cgroup";

/** Permission to use device nodes. */
export interface DeviceAccess {
  readonly type: "c" | "b" | "a";
  /** Absent: any. */
  readonly major?: number | undefined;
  readonly minor?: number | undefined;
  /** Of `r`, `w` and `m` (mknod). */
  readonly access: string;
}

/** A device node that the container finds in its `/dev`. */
export interface DeviceNode {
  /** As the container sees it, e.g. `/dev/null`. */
  readonly path: string;
  readonly type: "c" | "b";
  readonly major: number;
  readonly minor: number;
  /** Permission bits. */
  readonly mode: number;
}

/** In the unit that setrlimit(2) has for the kind: bytes, seconds, or a count. */
export interface ResourceLimit {
  /** Absent: unlimited. */
  readonly soft: number | undefined;
  readonly hard: number | undefined;
}

/**
 * What an isolator adds to a container: pure data, which can be written down and shown, merged in manifest order and applied
 * by the launcher. Lists are joined, records merged key by key, of single values the later one stands. Every field may be absent.
 */
export interface Contribution {
  /** Gives way to what the framework itself asked for. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Wins over everything, e.g. secrets. */
  readonly finalEnvironment?: Readonly<Record<string, string>>;
  /** Takes the place of the request's command, e.g. the entry point of an image. */
  readonly command?: { readonly program: string; readonly argv: readonly string[] };
  /** As the container sees it. */
  readonly workingDirectory?: string;
  /** Name or number on this host. */
  readonly user?: string;
  /** Numbers of groups that the user is in, beside its own. */
  readonly supplementaryGroups?: readonly number[];
  /** New ones to make. */
  readonly namespaces?: readonly Namespace[];
  /** Existing ones to enter: paths such as `/run/netns/x` or `/proc/42/ns/ipc`. */
  readonly enter?: Readonly<Partial<Record<Namespace, string>>>;
  /** Needs the `uts` namespace. */
  readonly hostname?: string;
  readonly rootfs?: RootFilesystem;
  /** In this order, after those of the root file system. */
  readonly mounts?: readonly ContainerMount[];
  /** Nodes to make in the container's own `/dev`. */
  readonly deviceNodes?: readonly DeviceNode[];
  /** Symbolic links to make, as the container sees them: link -> what it points to. */
  readonly symlinks?: Readonly<Record<string, string>>;
  /** Paths that the container cannot look into, or change, as it sees them; those that do not exist are passed over. */
  readonly maskedPaths?: readonly string[];
  readonly readonlyPaths?: readonly string[];
  /** What the container may use, beside the devices that every container may; applied by `cgroups/devices`. */
  readonly devices?: readonly DeviceAccess[];
  /** Directories below the cgroup mounts that the container's processes are in from the start: absolute host paths. */
  readonly cgroups?: readonly string[];
  /** Shell commands run in the container's namespaces before the main process, as its user. */
  readonly preExec?: readonly string[];
  /** By name of setrlimit(2) in lower case, without `rlimit_` (`nofile`). */
  readonly rlimits?: Readonly<Record<string, ResourceLimit>>;
  /**
   * Names without `CAP_`, in capitals. `effective` are held, inherited and ambient, and are to be within `bounding`. That one absent: the
   * effective ones, as in Mesos, or all where those are absent too.
   */
  readonly capabilities?: { readonly effective?: readonly string[]; readonly bounding?: readonly string[] };
  readonly noNewPrivileges?: boolean;
  /** A classic BPF program for seccomp(2): its `sock_filter` array, in base64. */
  readonly seccompFilter?: string;
  /** -1000 to 1000: the higher, the sooner it is killed when memory runs out. */
  readonly oomScoreAdjust?: number;
  /** Words put in front of the command line, outermost first (e.g. `["nice", "-n", "5"]`). */
  readonly wrap?: readonly string[];
}
