import type { ContainerMount, Contribution, DeviceNode } from "../../sdk/contracts/contribution.js";

const HIDDEN = ["nosuid", "noexec", "nodev"];

/** What a root file system of a container's own gets, in Mesos's order. */
const MOUNTS: readonly ContainerMount[] = [
  { source: "proc", target: "/proc", type: "proc", options: HIDDEN, create: "directory" },
  { source: "sysfs", target: "/sys", type: "sysfs", options: ["ro", ...HIDDEN], create: "directory" },
  { source: "tmpfs", target: "/sys/fs/cgroup", type: "tmpfs", options: ["mode=755", ...HIDDEN] },
  {
    source: "tmpfs",
    target: "/dev",
    type: "tmpfs",
    options: ["mode=755", "nosuid", "noexec", "strictatime"],
    create: "directory",
  },
  {
    source: "devpts",
    target: "/dev/pts",
    type: "devpts",
    // The group `tty` has this number everywhere.
    options: ["newinstance", "ptmxmode=0666", "mode=0620", "gid=5", "nosuid", "noexec"],
    create: "directory",
  },
];

const SHARED_MEMORY: ContainerMount = {
  source: "tmpfs",
  target: "/dev/shm",
  type: "tmpfs",
  options: ["mode=1777", "nosuid", "nodev", "strictatime"],
  create: "directory",
};

const device = (name: string, major: number, minor: number): DeviceNode => ({
  path: `/dev/${name}`,
  type: "c",
  major,
  minor,
  mode: 0o666,
});

const DEVICES: readonly DeviceNode[] = [
  device("full", 1, 7),
  device("null", 1, 3),
  device("random", 1, 8),
  device("tty", 5, 0),
  device("urandom", 1, 9),
  device("zero", 1, 5),
];

const LINKS = {
  "/dev/fd": "/proc/self/fd",
  "/dev/stdin": "/proc/self/fd/0",
  "/dev/stdout": "/proc/self/fd/1",
  "/dev/stderr": "/proc/self/fd/2",
  "/dev/ptmx": "pts/ptmx",
};

const READ_ONLY = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"];

const MASKED = [
  "/proc/acpi",
  "/proc/asound",
  "/proc/kcore",
  "/proc/keys",
  "/proc/key-users",
  "/proc/latency_stats",
  "/proc/sched_debug",
  "/proc/scsi",
  "/proc/timer_list",
  "/proc/timer_stats",
  "/sys/firmware",
];

/** What makes a directory of files a place to run in: kernel file systems, devices, and the sandbox. */
export function rootfsContribution(options: {
  /** Host path. */
  readonly sandbox: string;
  /** Where the container finds it. */
  readonly sandboxDirectory: string;
  /** Nobody else brings `/dev/shm`. */
  readonly sharedMemory: boolean;
  /** Shares the host's processes, so there is nothing that it could not learn: sees all of `/proc`. */
  readonly privileged: boolean;
}): Contribution {
  const { sandbox, sandboxDirectory, sharedMemory, privileged } = options;
  return {
    namespaces: ["mount"],
    mounts: [
      ...MOUNTS,
      ...(sharedMemory ? [SHARED_MEMORY] : []),
      { source: sandbox, target: sandboxDirectory, options: ["rbind"], create: "directory" },
    ],
    deviceNodes: DEVICES,
    symlinks: LINKS,
    readonlyPaths: READ_ONLY,
    ...(!privileged && { maskedPaths: MASKED }),
    workingDirectory: sandboxDirectory,
    finalEnvironment: { MESOS_SANDBOX: sandboxDirectory },
  };
}
