import { execFileSync } from "node:child_process";
import type { ResourceStatistics } from "../../proto/gen/mesos/v1/mesos.js";
import { type ProcessStat, processTree } from "../../sdk/proc/index.js";

/** Constants of the running kernel, by getconf(1). */
export interface KernelUnits {
  readonly ticksPerSecond: number;
  readonly pageBytes: number;
}

/** The common values where getconf is missing. */
const COMMON: KernelUnits = { ticksPerSecond: 100, pageBytes: 4096 };

export function kernelUnits(): KernelUnits {
  const ask = (name: string): number => Number(execFileSync("getconf", [name], { encoding: "utf8" }));
  try {
    return { ticksPerSecond: ask("CLK_TCK"), pageBytes: ask("PAGESIZE") };
  } catch {
    return COMMON;
  }
}

/** Processor time of the live processes and of those that they waited for. */
export async function cpuUsage(pid: number, units: KernelUnits): Promise<Partial<ResourceStatistics>> {
  const tree = await processTree(pid);
  const seconds = (ticks: (stat: ProcessStat) => number): number =>
    tree.reduce((sum, stat) => sum + ticks(stat), 0) / units.ticksPerSecond;
  return {
    cpus_user_time_secs: seconds(({ userTicks, childUserTicks }) => userTicks + childUserTicks),
    cpus_system_time_secs: seconds(({ systemTicks, childSystemTicks }) => systemTicks + childSystemTicks),
  };
}

export async function memoryUsage(pid: number, units: KernelUnits): Promise<Partial<ResourceStatistics>> {
  const tree = await processTree(pid);
  const pages = tree.reduce((sum, { residentPages }) => sum + residentPages, 0);
  return { mem_rss_bytes: BigInt(pages) * BigInt(units.pageBytes) };
}
