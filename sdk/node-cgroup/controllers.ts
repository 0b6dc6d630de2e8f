import type { CgroupVersion, Controller } from "./cgroup.js";

export const CONTROLLERS: readonly Controller[] = [
  "cpu",
  "cpuacct",
  "cpuset",
  "memory",
  "devices",
  "freezer",
  "pids",
  "io",
  "hugetlb",
  "net_cls",
  "net_prio",
  "perf_event",
];

/** Part of every v2 group, whatever its parent lets it have. */
export const IN_EVERY_V2_GROUP: ReadonlySet<Controller> = new Set([
  "cpuacct",
  "devices",
  "freezer",
  "perf_event",
]);

/** The kernel's name, which on v1 is also what mount(8) takes. */
export function kernelName(controller: Controller, version: CgroupVersion): string {
  return version === 1 && controller === "io" ? "blkio" : controller;
}

/** What has to be in the kernel's configuration. */
export const KERNEL_OPTION: Readonly<Record<Controller, string>> = {
  cpu: "CONFIG_CGROUP_SCHED",
  cpuacct: "CONFIG_CGROUP_CPUACCT",
  cpuset: "CONFIG_CPUSETS",
  memory: "CONFIG_MEMCG",
  devices: "CONFIG_CGROUP_DEVICE",
  freezer: "CONFIG_CGROUP_FREEZER",
  pids: "CONFIG_CGROUP_PIDS",
  io: "CONFIG_BLK_CGROUP",
  hugetlb: "CONFIG_CGROUP_HUGETLB",
  net_cls: "CONFIG_CGROUP_NET_CLASSID",
  net_prio: "CONFIG_CGROUP_NET_PRIO",
  perf_event: "CONFIG_CGROUP_PERF",
};
