import { isAbsolute, join, normalize } from "node:path";
import {
  type Resource,
  Resource_DiskInfo_Source_Type as SourceType,
} from "../../proto/gen/mesos/v1/mesos.js";
import { TepuiError } from "../../sdk/errors/index.js";
import { type ResourceEntry, Resources } from "../../sdk/resources/index.js";
import type { DiskOperation } from "./disk/operations.js";
import { type AgentPaths, volumeBelow } from "./paths.js";

/** Where a persistent volume lies on the host; undefined for other resources and for disks without files. */
export function volumePath({ kind }: ResourceEntry, paths: AgentPaths): string | undefined {
  const id = kind.disk?.persistence?.id;
  const role = kind.reservationRole;
  if (id === undefined || role === undefined) return undefined;
  const source = kind.disk?.source;
  switch (source?.type) {
    case undefined:
      return volumeBelow(paths.workDir, { role, id });
    case SourceType.PATH:
      return volumeBelow(join(paths.workDir, source?.path?.root ?? ""), { role, id });
    case SourceType.MOUNT: {
      const root = source?.mount?.root ?? "";
      return isAbsolute(root) ? root : join(paths.workDir, root);
    }
    default:
      return undefined;
  }
}

/**
 * Puts the persistent volumes among the resources into a sandbox, as links, and gives them to its user.
 *
 * Throws TEPUI_CONTAINER_LAUNCH_FAILED for one that cannot be put there without a file system of the container's own.
 */
export function volumeLinks(
  resources: readonly Resource[],
  sandbox: { directory: string; user: string | undefined; paths: AgentPaths },
): DiskOperation[] {
  const operations: DiskOperation[] = [];
  for (const message of resources) {
    const target = message.disk?.volume?.container_path;
    if (message.disk?.persistence === undefined || target === undefined) continue;
    const [entry] = Resources.of([message]);
    const path = entry === undefined ? undefined : volumePath(entry, sandbox.paths);
    const inside = normalize(target);
    if (
      path === undefined ||
      isAbsolute(inside) ||
      inside === ".." ||
      inside.startsWith("../") ||
      inside === "."
    ) {
      throw new TepuiError("TEPUI_CONTAINER_LAUNCH_FAILED", {
        detail: `the volume '${message.disk.persistence.id}' cannot be put at '${target}'; only paths inside the sandbox can be used`,
      });
    }
    // A volume that several share belongs to none of them.
    const owner = message.shared === undefined ? sandbox.user : undefined;
    operations.push(
      { op: "mkdir", path, owner },
      { op: "symlink", path: join(sandbox.directory, inside.replace(/\/$/, "")), target: path },
    );
  }
  return operations;
}
