import { ContainerInfo_Type } from "../../proto/gen/mesos/v1/mesos.js";
import type { ContainerRequest, TaskFeature } from "../../sdk/contracts/containerizer.js";

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
 * the launch is refused with these words.
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
  need(container.tty_info !== undefined, "terminals (tty_info)", []);
  need(container.hostname !== undefined, "host names of containers", ["network/cni"]);
  need(container.volumes.length > 0, "volumes", ["volume/", "filesystem/"]);
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
  need(container.linux_info !== undefined, "Linux settings of containers (linux_info)", [
    "linux/",
    "namespaces/",
    "cgroups/",
  ]);
  return missing;
}
