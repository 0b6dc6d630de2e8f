import type { Clock } from "../../sdk/contracts/clock.js";
import type { Logger } from "../../sdk/contracts/logger.js";
import { devicesOf } from "../../sdk/isolation/index.js";
import type { CgroupVersion, Controller } from "../../sdk/node-cgroup/index.js";
import type { CgroupsConfig } from "./config.js";
import type { ContainerGroups } from "./container-groups.js";
import { CpuIsolator } from "./cpu.js";
import { DevicesIsolator } from "./devices.js";
import { GroupIsolator, type GroupIsolatorOptions } from "./group-isolator.js";
import { IoIsolator } from "./io.js";
import { MemoryIsolator } from "./memory.js";
import { NetClsIsolator } from "./net-cls.js";
import { NetClsHandles, parseHandle, parseHandleRange } from "./net-cls-handles.js";
import { PerfEventIsolator } from "./perf-event.js";
import { PerfProgram } from "./perf-program.js";

export interface Parts {
  readonly config: CgroupsConfig;
  readonly groups: ContainerGroups;
  readonly clock: Clock;
  readonly logger: Logger;
}

export interface CatalogueRow {
  readonly controllers: readonly Controller[];
  /** Where it exists on one version only: that one, and what to do on the other. */
  readonly only?: { readonly version: CgroupVersion; readonly otherwise: string };
  make(options: GroupIsolatorOptions, parts: Parts): GroupIsolator;
}

const plain = (options: GroupIsolatorOptions): GroupIsolator => new GroupIsolator(options);
const V1_ALONE = "leave it out of --isolation: v2 has no such controller";

/** The isolators of the family, by name. */
export const CATALOGUE: Readonly<Record<string, CatalogueRow>> = {
  "cgroups/cpu": { controllers: ["cpu", "cpuacct"], make: makeCpu },
  "cgroups/mem": {
    controllers: ["memory"],
    make: (options, { config, clock }) =>
      new MemoryIsolator({ ...options, clock, limitSwap: config.cgroups_limit_swap }),
  },
  "cgroups/devices": {
    controllers: ["devices"],
    make: (options, { config }) =>
      new DevicesIsolator({ ...options, allowed: devicesOf(config.allowed_devices) }),
  },
  "cgroups/pids": { controllers: ["pids"], make: plain },
  "cgroups/cpuset": { controllers: ["cpuset"], make: plain },
  "cgroups/blkio": {
    controllers: ["io"],
    only: { version: 1, otherwise: "name cgroups/io instead" },
    make: (options) => new IoIsolator(options),
  },
  "cgroups/io": {
    controllers: ["io"],
    only: { version: 2, otherwise: "name cgroups/blkio instead" },
    make: (options) => new IoIsolator(options),
  },
  "cgroups/hugetlb": { controllers: ["hugetlb"], make: plain },
  "cgroups/net_cls": {
    controllers: ["net_cls"],
    only: { version: 1, otherwise: V1_ALONE },
    make: (options, { config }) => new NetClsIsolator({ ...options, handles: handlesOf(config) }),
  },
  "cgroups/net_prio": {
    controllers: ["net_prio"],
    only: { version: 1, otherwise: V1_ALONE },
    make: plain,
  },
  "cgroups/perf_event": { controllers: ["perf_event"], make: makePerfEvent },
};

export const ALL = "cgroups/all";

function makeCpu(options: GroupIsolatorOptions, { config }: Parts): GroupIsolator {
  return new CpuIsolator({
    ...options,
    flags: {
      enableCfs: config.cgroups_enable_cfs,
      revocableLowPriority: config.revocable_cpu_low_priority,
      countProcesses: config.cgroups_cpu_enable_pids_and_tids_count,
    },
  });
}

function makePerfEvent(options: GroupIsolatorOptions, { config, clock }: Parts): GroupIsolator {
  return new PerfEventIsolator({
    ...options,
    clock,
    perf: new PerfProgram(),
    flags: {
      events: [...new Set(config.perf_events?.split(",").filter(Boolean))],
      interval: config.perf_interval,
      duration: config.perf_duration,
    },
  });
}

function handlesOf(config: CgroupsConfig): NetClsHandles | undefined {
  const { cgroups_net_cls_primary_handle: primary, cgroups_net_cls_secondary_handles: range } = config;
  if (primary === undefined) return undefined;
  return new NetClsHandles(parseHandle(primary)!, range === undefined ? undefined : parseHandleRange(range));
}
