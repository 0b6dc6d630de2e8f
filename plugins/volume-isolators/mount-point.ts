import { realpath, stat } from "node:fs/promises";
import { join, normalize } from "node:path";
import type { Volume } from "../../proto/gen/mesos/v1/mesos.js";
import type { ContainerRequest } from "../../sdk/contracts/containerizer.js";
import type { ContainerMount } from "../../sdk/contracts/contribution.js";
import { pathInside, SafeDirectory } from "../../sdk/safe-files/index.js";

/** Where a volume is mounted. */
export type MountPoint = Pick<ContainerMount, "target" | "create">;

/**
 * The place of a volume by its `container_path`: relative ones lie in the sandbox, wherever the container finds that. An absolute one
 * must exist already where the container shares the host's file system: nothing is made outside of a sandbox.
 *
 * Throws an Error for a path that leads out of the sandbox, also by a symbolic link.
 */
export async function mountPoint(
  request: ContainerRequest,
  { container_path: path = "" }: Volume,
  { kind, sandboxDirectory }: { kind: "directory" | "file"; sandboxDirectory: string },
): Promise<MountPoint> {
  const image = request.image !== undefined;
  if (!path.startsWith("/")) {
    const inside = pathInside(path);
    if (inside === undefined) throw new Error(`The container path '${path}' does not lead into the sandbox`);
    // What was fetched may have brought links.
    if (new SafeDirectory(request.directory).leadsThroughLink(inside))
      throw new Error(`The container path '${path}' leads through a symbolic link in the sandbox`);
    return { target: image ? join(sandboxDirectory, inside) : inside, create: kind };
  }
  if (image) return { target: normalize(path), create: kind };
  const found = await stat(path).catch(() => undefined);
  if (found === undefined)
    throw new Error(
      `Mount point '${path}' is an absolute path. It must exist if the container shares the host filesystem`,
    );
  if (found.isDirectory() !== (kind === "directory"))
    throw new Error(
      `Mount point '${path}' must be a ${kind} as what is mounted there, and is ${found.isDirectory() ? "a directory" : "none"}`,
    );
  return { target: await realpath(path) };
}
