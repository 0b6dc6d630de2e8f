import type { ContainerRequest } from "../../sdk/contracts/containerizer.js";
import type { Contribution } from "../../sdk/contracts/contribution.js";
import type { Isolator } from "../../sdk/contracts/isolator.js";

/** Processes of a container's own: it sees no others, and all of them end with its first. */
export class PidNamespace implements Isolator {
  readonly name = "namespaces/pid";

  constructor(private readonly options: { readonly disallowSharingAgent: boolean }) {}

  async prepare({ container, image }: ContainerRequest): Promise<Contribution | undefined> {
    if (container?.linux_info?.share_pid_namespace === true) {
      if (this.options.disallowSharingAgent)
        throw new Error("Sharing agent pid namespace with top-level container is not allowed");
      return undefined;
    }
    // With a root file system of its own the container has a new /proc already, parts of which are read-only.
    if (image !== undefined) return { namespaces: ["pid"] };
    return {
      namespaces: ["pid", "mount"],
      mounts: [{ source: "proc", target: "/proc", type: "proc", options: ["nosuid", "nodev", "noexec"] }],
    };
  }
}
