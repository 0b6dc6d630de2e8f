import { chown, mkdir, stat } from "node:fs/promises";
import { isAbsolute, join } from "node:path";
import {
  type ContainerInfo,
  Volume_Mode as Mode,
  MountPropagation_Mode as Propagation,
  Volume_Source_SandboxPath_Type as SandboxPath,
  Volume_Source_Type as Source,
  type Volume,
} from "../../proto/gen/mesos/v1/mesos.js";
import type { Resources } from "../../sdk/resources/index.js";
import { persistentVolumes } from "../../sdk/volumes/index.js";
import type { Mount } from "./api-types.js";
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
      more: settingsOf(volume),
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

/** What a bind cannot say. */
function settingsOf({ host_path: host, source }: Volume): Partial<Mount> | undefined {
  if (host !== undefined) return undefined;
  switch (source?.host_path?.mount_propagation?.mode) {
    case Propagation.HOST_TO_CONTAINER:
      return { BindOptions: { Propagation: "rslave" } };
    case Propagation.BIDIRECTIONAL:
      return { BindOptions: { Propagation: "rshared" } };
    default:
  }
  const { driver, driver_options: options } = source?.docker_volume ?? {};
  if (options === undefined || options.parameter.length === 0) return undefined;
  const pairs = options.parameter.map(({ key = "", value = "" }) => [key, value]);
  const config = { ...(driver !== undefined && { Name: driver }), Options: Object.fromEntries(pairs) };
  return { VolumeOptions: { DriverConfig: config } };
}

function bind(
  { host }: RunDraft,
  {
    source,
    target,
    readonly,
    more,
  }: { source: string; target: string; readonly: boolean; more?: Partial<Mount> | undefined },
): void {
  if (more === undefined && !source.includes(":") && !target.includes(":")) {
    host.Binds.push(`${source}:${target}:${readonly ? "ro" : "rw"}`);
    return;
  }
  // Unlike with a bind its source is not made when it is missing.
  host.Mounts.push({
    Type: isAbsolute(source) ? "bind" : "volume",
    Source: source,
    Target: target,
    ReadOnly: readonly,
    ...more,
  });
}

/**
 * Adds the persistent volumes among the resources, each where the framework wants it below the sandbox, and gives them to the sandbox's
 * user, as Mesos does. One that several containers share belongs to none of them.
 */
export async function applyPersistentVolumes(
  { host }: RunDraft,
  resources: Resources,
  { sandbox, mapped, workDir }: VolumePlaces & { readonly workDir: string },
): Promise<void> {
  const volumes = persistentVolumes(resources, workDir);
  if (volumes.length === 0) return;
  const { uid, gid } = await stat(sandbox);
  for (const { path, containerPath, readOnly, shared } of volumes) {
    await mkdir(path, { recursive: true, mode: 0o755 });
    if (!shared && process.geteuid?.() === 0) await chown(path, uid, gid);
    host.Mounts.push({
      Type: "bind",
      Source: path,
      Target: join(mapped, containerPath),
      ReadOnly: readOnly,
    });
  }
}
