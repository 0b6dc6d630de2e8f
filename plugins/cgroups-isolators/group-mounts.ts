import { basename, join } from "node:path/posix";
import type { ContainerMount, Contribution } from "../../sdk/contracts/contribution.js";
import type { Cgroup, CgroupHost, Controller } from "../../sdk/node-cgroup/index.js";

const PLACE = "/sys/fs/cgroup";

/**
 * What a container with a root file system of its own sees in `/sys/fs/cgroup`: its own groups, where programs look for their limits.
 * Not to be written, lest they lift them.
 */
export function groupMounts(host: CgroupHost, group: Cgroup): Pick<Contribution, "mounts" | "symlinks"> {
  const hierarchies = new Map<string, Controller[]>();
  for (const controller of group.controllers) {
    const mountPoint = host.mountPoint(controller)!;
    const there = hierarchies.get(mountPoint);
    if (there === undefined) hierarchies.set(mountPoint, [controller]);
    else there.push(controller);
  }
  const v2Alone = group.controllers.every((controller) => host.version(controller) === 2);
  const mounts: ContainerMount[] = [];
  const symlinks: Record<string, string> = {};
  for (const [mountPoint, controllers] of hierarchies) {
    // As the host calls it, e.g. `cpu,cpuacct`.
    const name = basename(mountPoint);
    mounts.push({
      source: join(mountPoint, group.path),
      target: v2Alone ? PLACE : join(PLACE, name),
      options: ["bind", "ro", "nosuid", "nodev", "noexec"],
      create: "directory",
    });
    for (const controller of controllers) {
      const own = kernelName(controller);
      if (host.version(controller) === 1 && own !== name) symlinks[join(PLACE, own)] = name;
    }
  }
  return { mounts, ...(Object.keys(symlinks).length > 0 && { symlinks }) };
}

const kernelName = (controller: Controller): string => (controller === "io" ? "blkio" : controller);
