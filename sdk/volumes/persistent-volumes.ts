import { isAbsolute, join } from "node:path";
import { Resource_DiskInfo_Source_Type as SourceType, Volume_Mode } from "../../proto/gen/mesos/v1/mesos.js";
import { TepuiError } from "../errors/index.js";
import type { ResourceEntry, Resources } from "../resources/index.js";
import { pathInside } from "../safe-files/index.js";

/** A persistent volume as one container uses it. */
export interface PersistentVolume {
  readonly id: string;
  /** Host path of its directory. */
  readonly path: string;
  /** Where the container finds it: relative to the sandbox, and inside of it. */
  readonly containerPath: string;
  readonly readOnly: boolean;
  /** Several containers may use it at once. */
  readonly shared: boolean;
  /** The resource provider that brings it; undefined: the agent itself. */
  readonly providerId: string | undefined;
}

/** Where a persistent volume lies on the host, as in Mesos; undefined for other resources and for disks without files. */
export function persistentVolumePath({ kind }: ResourceEntry, workDir: string): string | undefined {
  const id = kind.disk?.persistence?.id;
  const role = kind.reservationRole;
  if (id === undefined || role === undefined) return undefined;
  const source = kind.disk?.source;
  const below = (root: string): string => (isAbsolute(root) ? root : join(workDir, root));
  switch (source?.type) {
    case undefined:
      return volumeBelow(workDir, { role, id });
    case SourceType.PATH:
      return volumeBelow(below(source?.path?.root ?? ""), { role, id });
    case SourceType.MOUNT:
      return below(source?.mount?.root ?? "");
    default:
      return undefined;
  }
}

/** Those among the resources. Throws TEPUI_CONTAINER_LAUNCH_FAILED for one that cannot be put where it is asked for. */
export function persistentVolumes(resources: Resources, workDir: string): PersistentVolume[] {
  const volumes: PersistentVolume[] = [];
  for (const entry of resources.persistentVolumes()) {
    const { disk, shared, providerId } = entry.kind;
    const target = disk?.volume?.container_path;
    const id = disk?.persistence?.id;
    if (target === undefined || id === undefined) continue;
    const path = persistentVolumePath(entry, workDir);
    const containerPath = pathInside(target);
    if (path === undefined || containerPath === undefined) {
      throw new TepuiError("TEPUI_CONTAINER_LAUNCH_FAILED", {
        detail: `the volume '${id}' cannot be put at '${target}'; only paths inside the sandbox can be used`,
      });
    }
    const readOnly = disk?.volume?.mode === Volume_Mode.RO;
    volumes.push({ id, path, containerPath, readOnly, shared, providerId });
  }
  return volumes;
}

/** The slashes of a hierarchical role become spaces, as in Mesos. */
function volumeBelow(root: string, { role, id }: { role: string; id: string }): string {
  return join(root, "volumes", "roles", role.replaceAll("/", " "), id);
}
