import { ContainerInfo_Type, LinuxInfo_IpcMode } from "../../proto/gen/mesos/v1/mesos.js";
import type { ContainerRequest, TaskFeature } from "../../sdk/contracts/containerizer.js";
import { type VolumeSource, volumeSource } from "../../sdk/volumes/index.js";

/** False for a container of another containerizer's kind. */
export const isMine = ({ container }: Pick<ContainerRequest, "container">): boolean =>
  container?.type !== ContainerInfo_Type.DOCKER;

/** The isolators that give what a task asks for. */
export const GIVERS: Readonly<Record<TaskFeature, readonly string[]>> = {
  "cpus-limit": ["cgroups/cpu", "cgroups/all"],
  "mem-limit": ["cgroups/mem", "cgroups/all"],
  "secret-environment": ["environment_secret"],
};

/**
 * What the container asks for that nothing loaded gives. Running it without would be less than its framework asked for, so
 * the launch is refused with these words. Throws TEPUI_CONTAINER_LAUNCH_FAILED for volumes of no sound form.
 */
export function missingFeatures(
  request: ContainerRequest,
  { isolators, images }: { readonly isolators: readonly string[]; readonly images: boolean },
): string[] {
  const { container } = request;
  if (container === undefined) return [];
  const missing: string[] = [];
  const need = (asked: boolean, feature: string, givers: readonly string[]): void => {
    if (asked && !isolators.some((name) => givers.some((giver) => name.startsWith(giver)))) {
      missing.push(givers.length === 0 ? feature : `${feature} (an isolator such as ${givers.join(" or ")})`);
    }
  };
  if (container.mesos?.image !== undefined) {
    if (!images) missing.push("container images (--image_providers)");
    need(true, "root file systems of containers", ["filesystem/linux"]);
  }
  need(container.hostname !== undefined, "host names of containers", ["network/cni"]);
  const kinds = new Set(container.volumes.map((volume) => volumeSource(volume).kind));
  for (const kind of kinds) need(true, VOLUMES[kind].feature, VOLUMES[kind].givers);
  need(
    container.network_infos.some(
      ({ name, port_mappings: ports, ip_addresses: addresses }) =>
        name !== undefined ||
        ports.length > 0 ||
        addresses.some((address) => address.ip_address !== undefined),
    ),
    "container networks",
    ["network/cni"],
  );
  need(container.rlimit_info !== undefined, "limits of processes (rlimit_info)", ["posix/rlimits"]);
  const linux = container.linux_info;
  const capabilities = [linux?.capability_info, linux?.effective_capabilities, linux?.bounding_capabilities];
  need(
    capabilities.some((set) => set !== undefined),
    "capabilities of containers",
    ["linux/capabilities"],
  );
  need(linux?.seccomp?.profile_name !== undefined, "seccomp profiles of containers", ["linux/seccomp"]);
  // What the agent's are shared with anyway needs nobody.
  need(
    linux?.ipc_mode === LinuxInfo_IpcMode.PRIVATE || linux?.shm_size !== undefined,
    "shared memory of a container's own",
    ["namespaces/ipc"],
  );
  return missing;
}

const VOLUMES: Readonly<Record<VolumeSource["kind"], { feature: string; givers: readonly string[] }>> = {
  "host-path": { feature: "volumes of host paths", givers: ["volume/host_path", "filesystem/shared"] },
  "sandbox-path": {
    feature: "volumes of sandbox paths",
    givers: ["volume/sandbox_path", "filesystem/shared"],
  },
  image: { feature: "volumes of images", givers: ["volume/image"] },
  secret: { feature: "volumes of secrets", givers: ["volume/secret"] },
  "docker-volume": { feature: "volumes of Docker's volume drivers", givers: ["docker/volume"] },
  csi: { feature: "volumes of CSI plugins", givers: [] },
};
