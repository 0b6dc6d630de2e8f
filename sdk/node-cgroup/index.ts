/**
 * Linux control groups, v1 and v2, from Node alone: see README.md.
 *
 * @packageDocumentation
 */
export type { Cgroup, CgroupVersion, Controller, Patience, Reach } from "./cgroup.js";
export { CgroupError, type CgroupFailure } from "./cgroup-error.js";
export type { CgroupHost, CgroupHostOptions, ListOptions } from "./cgroup-host.js";
export type {
  CpuAccounting,
  CpuControl,
  CpuQuota,
  Cpuset,
  CpusetControl,
  CpuThrottling,
  CpuUsage,
  DeviceNumber,
  DeviceRule,
  DevicesControl,
  HugetlbControl,
  IoControl,
  IoCount,
  IoDeviceStat,
  IoOperation,
  IoStat,
  MemoryControl,
  MemoryLimitOptions,
  MemoryPressure,
  MemoryPressureCount,
  MemoryStall,
  MemoryStat,
  NetClsControl,
  NetPrioControl,
  OutOfMemory,
  PerfEventControl,
  PidsControl,
} from "./controls.js";
export { openCgroups } from "./open-cgroups.js";
