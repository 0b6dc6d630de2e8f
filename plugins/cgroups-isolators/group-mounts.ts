import { basename } from "node:path";
import { join } from "node:path/posix";
import type { Contribution } from "../../sdk/contracts/contribution.js";
import type { Cgroup, CgroupHost, Controller } from "../../sdk/node-cgroup/index.js";

const PLACE = "/sys/fs/cgroup";

/**
 * What a container with a root file system of its own sees in `/sys/fs/cgroup`: its own groups, where programs look for their limits.
 * Nobody in the container can write there, lest it lift them.
 */
export function groupMounts(host: CgroupHost, group: Cgroup): Pick<Contribution, "mounts" | "symlinks"> {
  const byMountPoint = Map.groupBy(group.controllers, (controller) => host.mountPoint(controller)!);
  const mounts = [...byMountPoint].map(([mountPoint, controllers]) => ({
    source: join(mountPoint, group.path),
    target: onlyV2(host, group.controllers) ? PLACE : join(PLACE, placeOf(mountPoint, controllers, host)),
    options: ["bind", "ro", "nosuid", "nodev", "noexec"],
    create: "directory" as const,
  }));
  const links = [...byMountPoint].flatMap(([mountPoint, controllers]) => {
    const place = placeOf(mountPoint, controllers, host);
    return controllers
      .filter((controller) => host.version(controller) === 1 && kernelName(controller) !== place)
      .map((controller) => [join(PLACE, kernelName(controller)), place] as const);
  });
  return { mounts, ...(links.length > 0 && { symlinks: Object.fromEntries(links) }) };
}

const onlyV2 = (host: CgroupHost, controllers: readonly Controller[]): boolean =>
  controllers.every((controller) => host.version(controller) === 2);

/** As the host calls the directory, e.g. `cpu,cpuacct`. */
function placeOf(mountPoint: string, controllers: readonly Controller[], host: CgroupHost): string {
  return mountPoint === host.hierarchy ? kernelName(controllers[0]!) : basename(mountPoint);
}

const kernelName = (controller: Controller): string => (controller === "io" ? "blkio" : controller);
