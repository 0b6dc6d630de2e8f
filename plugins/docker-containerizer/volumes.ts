import { readlink } from "node:fs/promises";
import { isAbsolute, join } from "node:path";
import {
  type ContainerInfo,
  Volume_Mode as Mode,
  type Resource,
  Volume_Source_SandboxPath_Type as SandboxPath,
  Volume_Source_Type as Source,
  type Volume,
} from "../../proto/gen/mesos/v1/mesos.js";
import type { RunDraft } from "./run-draft.js";

export interface VolumePlaces {
  /** The sandbox on the host. */
  readonly sandbox: string;
  /** The sandbox as the container sees it. */
  readonly mapped: string;
}

/** Adds the sandbox and the volumes that the framework asks for. Throws an Error, in Mesos's words where it has them. */
export function applyVolumes(draft: RunDraft, container: ContainerInfo, places: VolumePlaces): void {
  let driver = container.docker?.volume_driver;
  for (const volume of container.volumes) {
    const inside = volume.container_path ?? "";
    const target = isAbsolute(inside) ? inside : join(places.mapped, inside);
    if (volume.mode !== Mode.RW && volume.mode !== Mode.RO) throw new Error("Unsupported volume mode");
    const own = volume.source?.docker_volume?.driver;
    if (volume.host_path === undefined && own !== undefined) {
      if (driver !== undefined && driver !== own) throw new Error("Only one volume driver is supported");
      driver = own;
    }
    bind(draft, {
      source: sourceOf(volume, places, container.docker?.volume_driver !== undefined),
      target,
      readonly: volume.mode === Mode.RO,
    });
  }
  bind(draft, { source: places.sandbox, target: places.mapped, readonly: false });
  if (driver !== undefined) draft.host.VolumeDriver = driver;
}

/** A directory of the host, or the name of a volume that the engine keeps. */
function sourceOf(volume: Volume, { sandbox }: VolumePlaces, hasDriver: boolean): string {
  const { host_path: host, container_path: inside = "", source } = volume;
  if (host !== undefined) {
    if (isAbsolute(host)) return host;
    if (!isAbsolute(inside)) {
      throw new Error(`Both host_path '${host}' and container_path '${inside}' of a volume are relative`);
    }
    return hasDriver ? host : join(sandbox, host);
  }
  switch (source?.type) {
    case undefined:
      throw new Error("Host path or volume source is required");
    case Source.DOCKER_VOLUME:
      return source.docker_volume?.name ?? "";
    case Source.HOST_PATH:
      return source.host_path?.path ?? "";
    case Source.SANDBOX_PATH:
      if (source.sandbox_path?.type === SandboxPath.SELF)
        return join(sandbox, source.sandbox_path.path ?? "");
      throw new Error("Volumes of the parent's sandbox do not exist in Docker containers");
    default:
      throw new Error(
        `Volumes of type ${Source[source?.type ?? Source.UNKNOWN]} do not exist in Docker containers, which have DOCKER_VOLUME, HOST_PATH and SANDBOX_PATH`,
      );
  }
}

function bind(
  { host }: RunDraft,
  { source, target, readonly }: { source: string; target: string; readonly: boolean },
): void {
  if (!source.includes(":") && !target.includes(":")) {
    host.Binds.push(`${source}:${target}:${readonly ? "ro" : "rw"}`);
    return;
  }
  // Unlike a bind this is not made when it is missing, but a colon may be in it.
  host.Mounts.push({
    Type: isAbsolute(source) ? "bind" : "volume",
    Source: source,
    Target: target,
    ReadOnly: readonly,
  });
}

/**
 * The agent puts a persistent volume into the sandbox as a link to where it lies on the host. The container gets what the link points
 * to in the same place.
 */
export async function applyPersistentVolumes(
  draft: RunDraft,
  resources: readonly Resource[],
  sandbox: string,
): Promise<void> {
  for (const { disk } of resources) {
    if (disk?.persistence === undefined || disk.volume?.container_path === undefined) continue;
    const link = join(sandbox, disk.volume.container_path.replace(/\/$/, ""));
    const path = await readlink(link).catch(() => undefined);
    // Not a link: it lies in the sandbox itself, and comes with it.
    if (path === undefined) continue;
    bind(draft, { source: path, target: path, readonly: disk.volume.mode === Mode.RO });
  }
}
