import { readFile } from "node:fs/promises";
import type { ResourceStatistics } from "../../proto/gen/mesos/v1/mesos.js";
import type { Cgroup, CgroupHost, Controller } from "../../sdk/node-cgroup/index.js";
import type { Amounts } from "./resource-settings.js";

const BYTES_PER_MB = 1024 * 1024;

/** The path of a process's group for each controller, as `/proc/<pid>/cgroup` tells it. */
export function cgroupPaths(text: string): (controller: string) => string | undefined {
  const paths = new Map<string, string>();
  for (const line of text.split("\n")) {
    const [, controllers, path] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
    if (path === undefined) continue;
    for (const controller of controllers!.split(",")) paths.set(controller, path);
  }
  // All of v2 is in one hierarchy, without names.
  return (controller) => paths.get(controller) ?? paths.get("");
}

/** The control groups that the engine made: what the kernel counts there is had sooner than from the engine. */
export class ContainerCgroups {
  private opening: Promise<CgroupHost> | undefined;

  /**
   * Resolves as soon as memory runs out for a process's container, and otherwise never: of that the engine is too late to know when the
   * container is gone at once.
   */
  async outOfMemory(pid: number, signal: AbortSignal): Promise<void> {
    const memory = (await this.groupsOf(pid))("memory")?.memory;
    if (memory === undefined) throw new Error(`process ${pid} is in no memory control group of its own`);
    await memory.outOfMemory(signal);
  }

  /** Rejects when the process is gone. */
  async usage(pid: number, options: { readonly cfs: boolean }): Promise<Partial<ResourceStatistics>> {
    const group = await this.groupsOf(pid);
    const statistics: Partial<ResourceStatistics> = {};
    const cpuacct = group("cpuacct")?.cpuacct.usage();
    if (cpuacct !== undefined) {
      statistics.cpus_user_time_secs = cpuacct.userSeconds;
      statistics.cpus_system_time_secs = cpuacct.systemSeconds;
    }
    const throttling = options.cfs ? group("cpu")?.cpu.throttling() : undefined;
    if (throttling !== undefined) {
      statistics.cpus_nr_periods = throttling.periods;
      statistics.cpus_nr_throttled = throttling.throttledPeriods;
      statistics.cpus_throttled_time_secs = throttling.throttledSeconds;
    }
    const memory = group("memory")?.memory.stat();
    if (memory !== undefined) {
      statistics.mem_total_bytes = BigInt(memory.usage);
      statistics.mem_rss_bytes = BigInt(memory.anon);
      statistics.mem_file_bytes = BigInt(memory.file);
      statistics.mem_cache_bytes = BigInt(memory.file);
    }
    return statistics;
  }

  private async groupsOf(pid: number): Promise<(controller: Controller) => Cgroup | undefined> {
    // At the first question, for the same reason as the engine's client.
    this.opening ??= import("../../sdk/node-cgroup/index.js").then(({ openCgroups }) => openCgroups());
    const host = await this.opening;
    const path = cgroupPaths(await readFile(`/proc/${pid}/cgroup`, "utf8"));
    return (controller) => {
      const version = host.version(controller);
      const found = path(version === 2 ? "" : controller);
      // The host's own: the container is ending.
      if (version === undefined || found === undefined || found === "/") return undefined;
      return host.group(found.slice(1), [controller]);
    };
  }

  async close(): Promise<void> {
    const host = await this.opening?.catch(() => undefined);
    await host?.close();
  }
}

/** What a container was promised and may use at most. */
export function limitStatistics(
  { resources: { cpus, mem }, limits }: Amounts,
  options: { readonly cfs: boolean },
): Partial<ResourceStatistics> {
  const statistics: Partial<ResourceStatistics> = {};
  const bytes = (mb: number): bigint => BigInt(Math.round(mb * BYTES_PER_MB));
  if (cpus > 0) statistics.cpus_soft_limit = cpus;
  const cpuLimit = limits.cpus ?? (options.cfs && cpus > 0 ? cpus : undefined);
  if (cpuLimit !== undefined && Number.isFinite(cpuLimit)) statistics.cpus_limit = cpuLimit;
  if (limits.mem !== undefined && mem > 0) statistics.mem_soft_limit_bytes = bytes(mem);
  const memLimit = limits.mem ?? mem;
  if (memLimit > 0 && Number.isFinite(memLimit)) statistics.mem_limit_bytes = bytes(memLimit);
  return statistics;
}
