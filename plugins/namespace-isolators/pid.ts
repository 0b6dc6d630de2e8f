import type { ContainerRequest } from "../../sdk/contracts/containerizer.js";
import type { Contribution } from "../../sdk/contracts/contribution.js";
import type { Isolator } from "../../sdk/contracts/isolator.js";

/** Processes of a container's own: it sees no others, and all of them end with its first. */
export class PidNamespace implements Isolator {
  readonly name = "namespaces/pid";
  readonly nesting = true;

  constructor(private readonly options: { readonly disallowSharingAgent: boolean }) {}

  async prepare({ container, image, within }: ContainerRequest): Promise<Contribution | undefined> {
    if (container?.linux_info?.share_pid_namespace === true) {
      if (within !== undefined) return { enter: { pid: `/proc/${within.pid}/ns/pid` }, ...processes(image) };
      if (this.options.disallowSharingAgent)
        throw new Error("Sharing agent pid namespace with top-level container is not allowed");
      return undefined;
    }
    const { namespaces = [], ...files } = processes(image);
    return {
      namespaces: ["pid", ...namespaces],
      ...files,
      // Below its parent's, which sees its processes, and with which they end.
      ...(within !== undefined && { enter: { pid: `/proc/${within.pid}/ns/pid` } }),
    };
  }
}

/** With a root file system of its own the container has a new /proc already, parts of which are read-only. */
const processes = (image: unknown): Contribution =>
  image !== undefined
    ? {}
    : {
        namespaces: ["mount"],
        mounts: [{ source: "proc", target: "/proc", type: "proc", options: ["nosuid", "nodev", "noexec"] }],
      };
