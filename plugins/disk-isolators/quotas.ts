import { isAbsolute, join } from "node:path";
import {
  type DiskStatistics,
  type Resource,
  type Resource_DiskInfo,
  Resource_DiskInfo_Source_Type as SourceType,
} from "../../proto/gen/mesos/v1/mesos.js";
import { parseResourceList, Resources } from "../../sdk/resources/index.js";
import { persistentVolumePath } from "../../sdk/volumes/index.js";

const BYTES_PER_MB = 1024 * 1024;

/** A directory of a container, and how much it may hold. */
export interface Quota {
  /** On the host. */
  readonly directory: string;
  readonly bytes: bigint;
  /** What a limit that is crossed is told with. */
  readonly resources: readonly Resource[];
  /** Of a persistent volume; absent: the sandbox. */
  readonly disk?: Resource_DiskInfo | undefined;
  /** Where the container sees it, below the sandbox. */
  readonly containerPath?: string | undefined;
  /** A disk of its own holds no more than its size anyway. */
  readonly ownDisk: boolean;
}

/** One for the sandbox where the resources hold disk space, and one for each persistent volume. */
export function quotasOf(resources: Resources, of: { sandbox: string; workDir: string }): Quota[] {
  const quotas: Quota[] = [];
  const plain = resources.filter(({ kind }) => kind.name === "disk" && kind.disk === undefined);
  const space = plain.disk;
  if (space > 0) {
    quotas.push({
      directory: of.sandbox,
      bytes: bytesOf(space),
      resources: plain.toMessages(),
      ownDisk: false,
    });
  }
  for (const entry of resources.persistentVolumes()) {
    const directory = persistentVolumePath(entry, of.workDir);
    if (directory === undefined) continue;
    const alone = Resources.fromEntries([entry]);
    const { disk } = entry.kind;
    quotas.push({
      directory,
      bytes: bytesOf(alone.disk),
      resources: alone.toMessages(),
      disk,
      containerPath: disk?.volume?.container_path && join(of.sandbox, disk.volume.container_path),
      ownDisk: disk?.source?.type === SourceType.MOUNT,
    });
  }
  return quotas;
}

/** What is told of a directory: how much of how much, in bytes; of the sandbox where there is no `disk`. */
export function diskStatistics(facts: {
  readonly limit: bigint | undefined;
  readonly used: bigint | undefined;
  readonly disk: Resource_DiskInfo | undefined;
}): DiskStatistics {
  const { limit, used, disk } = facts;
  return {
    ...(limit !== undefined && { limit_bytes: limit }),
    ...(used !== undefined && { used_bytes: used }),
    ...(disk?.source !== undefined && { source: disk.source }),
    ...(disk?.persistence !== undefined && { persistence: disk.persistence }),
  };
}

/** Roots of the disks of type PATH in `--resources`. What is wrong in there the agent says itself. */
export function diskRoots(resources: string, workDir: string): string[] {
  const list = parseResourceList(resources);
  if (!list.ok) return [];
  const roots = list.value.flatMap(({ disk }) =>
    disk?.source?.type === SourceType.PATH ? (disk.source.path?.root ?? []) : [],
  );
  return [...new Set(roots)].map((root) => (isAbsolute(root) ? root : join(workDir, root)));
}

const bytesOf = (megabytes: number): bigint => BigInt(Math.round(megabytes * BYTES_PER_MB));
