import { join } from "node:path";
import type { Controller } from "./cgroup.js";
import { CONTROLLERS, IN_EVERY_V2_GROUP, KERNEL_OPTION, kernelName } from "./controllers.js";
import { type CgroupMount, isAtOrBelow } from "./mount-table.js";

/** What a host says of itself. */
export interface Evidence {
  readonly hierarchy: string;
  /** Of v2 with the controllers that it has. */
  readonly mounts: readonly CgroupMount[];
  /** Whether it is switched on, by name. */
  readonly kernel: ReadonlyMap<string, boolean>;
}

export interface Findings extends Evidence {
  /** The mount that each usable controller is in. */
  readonly homes: ReadonlyMap<Controller, CgroupMount>;
}

/** A controller is in one hierarchy at a time. What every v2 group has is taken from v1 where it is mounted there. */
export function placeControllers(evidence: Evidence): Findings {
  const usable = evidence.mounts.filter((mount) => isAtOrBelow(mount.mountPoint, evidence.hierarchy));
  const homes = new Map<Controller, CgroupMount>();
  for (const controller of CONTROLLERS) {
    const home =
      usable.find((mount) => mount.controllers.includes(kernelName(controller, mount.version))) ??
      usable.find((mount) => mount.version === 2 && IN_EVERY_V2_GROUP.has(controller));
    if (home !== undefined) homes.set(controller, home);
  }
  return { ...evidence, homes };
}

/** Why a controller that has no home has none, and what to do. */
export function explainLack(controller: Controller, { hierarchy, mounts, kernel }: Evidence): string {
  const name = kernelName(controller, 1);
  const elsewhere = mounts.find((mount) => mount.controllers.includes(kernelName(controller, mount.version)));
  const toMount = `mkdir -p ${join(hierarchy, name)} && mount -t cgroup -o ${name} ${name} ${join(hierarchy, name)}`;
  if (elsewhere !== undefined)
    return `cgroup controller ${name} is mounted at ${elsewhere.mountPoint}, which is not below ${hierarchy}`;
  if (kernel.get(name) === false)
    return `cgroup controller ${name} is switched off: remove cgroup_disable=${name} from the kernel's command line`;
  if (kernel.get(name) === undefined)
    return `this kernel has no cgroup controller ${name}: it needs ${KERNEL_OPTION[controller]}`;
  if (mounts.length === 0)
    return `no cgroup file system is mounted below ${hierarchy}: mount -t cgroup2 cgroup2 ${hierarchy}`;
  return `cgroup controller ${name} is not mounted: ${toMount}`;
}
