import type { Cluster } from "../cluster.js";

/** Whatever may still run has its sandbox, however old it is and however full the disk. */
export function checkSandboxes({ agents, world }: Cluster): void {
  for (const { name, disk, containers } of agents)
    for (const { request, isProcess, homeless } of containers.running)
      if (!isProcess && !homeless && request.checkpoint && !disk.has(request.directory))
        world.violate("what runs has its sandbox", `${name} has no ${request.directory}`);
}
