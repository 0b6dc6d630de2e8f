import { isAbsolute } from "node:path";
import {
  type Image,
  MountPropagation_Mode,
  Volume_Source_SandboxPath_Type as SandboxPathType,
  type Secret,
  Volume_Source_Type as SourceType,
  type Volume,
} from "../../proto/gen/mesos/v1/mesos.js";
import { TepuiError } from "../errors/index.js";

/** What a volume is made of. */
export type VolumeSource =
  | {
      readonly kind: "host-path";
      /** Absolute. */
      readonly path: string;
      /** What is mounted below it by either side shows up on the other. */
      readonly bidirectional: boolean;
    }
  | { readonly kind: "sandbox-path"; readonly of: "self" | "parent"; readonly path: string }
  | { readonly kind: "image"; readonly image: Image }
  | { readonly kind: "secret"; readonly secret: Secret }
  | {
      readonly kind: "docker-volume";
      readonly driver: string | undefined;
      readonly name: string;
      readonly options: readonly { readonly key: string; readonly value: string }[];
    }
  | { readonly kind: "csi" };

/** Throws TEPUI_CONTAINER_LAUNCH_FAILED, with Mesos's words, for a volume of no sound form. A relative `host_path` is one in the sandbox. */
export function volumeSource({ host_path: hostPath, image, source }: Volume): VolumeSource {
  const given = [hostPath, image, source].filter((field) => field !== undefined);
  if (given.length !== 1)
    throw invalid("Invalid volume: Only one of them should be set: 'host_path', 'image' and 'source'");
  if (image !== undefined) return { kind: "image", image };
  if (hostPath !== undefined) {
    return isAbsolute(hostPath)
      ? { kind: "host-path", path: hostPath, bidirectional: false }
      : { kind: "sandbox-path", of: "self", path: hostPath };
  }
  switch (source?.type) {
    case SourceType.HOST_PATH: {
      const { path = "", mount_propagation: propagation } = set(source.host_path, "host_path", "HOST_PATH");
      if (!isAbsolute(path)) throw invalid(`Path '${path}' in HOST_PATH volume is not absolute`);
      return {
        kind: "host-path",
        path,
        bidirectional: propagation?.mode === MountPropagation_Mode.BIDIRECTIONAL,
      };
    }
    case SourceType.SANDBOX_PATH: {
      const { path = "", type } = set(source.sandbox_path, "sandbox_path", "SANDBOX_PATH");
      if (isAbsolute(path)) throw invalid(`Path '${path}' in SANDBOX_PATH volume is absolute`);
      if (type !== SandboxPathType.SELF && type !== SandboxPathType.PARENT)
        throw invalid("Unknown SANDBOX_PATH volume type");
      return { kind: "sandbox-path", of: type === SandboxPathType.SELF ? "self" : "parent", path };
    }
    case SourceType.DOCKER_VOLUME: {
      const volume = set(source.docker_volume, "docker_volume", "DOCKER_VOLUME");
      const options = (volume.driver_options?.parameter ?? []).map(({ key = "", value = "" }) => ({
        key,
        value,
      }));
      return { kind: "docker-volume", driver: volume.driver, name: volume.name ?? "", options };
    }
    case SourceType.SECRET:
      return { kind: "secret", secret: set(source.secret, "secret", "SECRET") };
    case SourceType.CSI_VOLUME:
      return { kind: "csi" };
    default:
      throw invalid("Invalid volume: 'source.type' is unknown");
  }
}

function set<T>(field: T | undefined, name: string, type: string): T {
  if (field === undefined) throw invalid(`Invalid volume: 'source.${name}' is not set for ${type} volume`);
  return field;
}

const invalid = (detail: string): TepuiError => new TepuiError("TEPUI_CONTAINER_LAUNCH_FAILED", { detail });
