import { LinuxInfo_IpcMode as IpcMode } from "../../proto/gen/mesos/v1/mesos.js";
import type { ContainerRequest, EnclosingContainer } from "../../sdk/contracts/containerizer.js";
import type { ContainerMount, Contribution } from "../../sdk/contracts/contribution.js";
import type { Isolator } from "../../sdk/contracts/isolator.js";

export interface IpcNamespaceOptions {
  /** Bytes of `/dev/shm` for private containers that ask for no size; undefined: as much as the kernel gives. */
  readonly defaultShmSize: number | undefined;
  readonly disallowSharingAgent: boolean;
}

const BYTES_PER_MB = 1024 * 1024;

/**
 * Message queues, semaphores and shared memory of a container's own, and what is at its `/dev/shm`. As in Mesos:
 *
 * | ipc_mode | namespace | /dev/shm with a root file system of its own | without |
 * |---|---|---|---|
 * | unset | own | own | the agent's |
 * | PRIVATE | own | own, of `shm_size` | own, of `shm_size` |
 * | SHARE_PARENT | the agent's | the agent's | the agent's |
 *
 * For a container within another, SHARE_PARENT shares both of that one, and an unset mode its namespace.
 */
export class IpcNamespace implements Isolator {
  readonly name = "namespaces/ipc";
  readonly nesting = true;

  constructor(private readonly options: IpcNamespaceOptions) {}

  async prepare(request: ContainerRequest): Promise<Contribution | undefined> {
    const { container, image, within } = request;
    const { ipc_mode: mode, shm_size: size } = container?.linux_info ?? {};
    if (size !== undefined && mode !== IpcMode.PRIVATE)
      throw new Error("Only support specifying the size of /dev/shm when the IPC mode is `PRIVATE`");
    switch (mode) {
      case undefined:
        if (within !== undefined)
          return { ...entered(within), ...(image !== undefined && { mounts: [sharedMemory()] }) };
        return { namespaces: ["ipc"], ...(image !== undefined && { mounts: [sharedMemory()] }) };
      case IpcMode.PRIVATE: {
        const bytes = size === undefined ? this.options.defaultShmSize : size * BYTES_PER_MB;
        return { namespaces: ["ipc", "mount"], mounts: [sharedMemory(bytes)] };
      }
      case IpcMode.SHARE_PARENT:
        if (within !== undefined) return sharedWith(within);
        if (this.options.disallowSharingAgent)
          throw new Error("Sharing agent IPC namespace with top-level container is not allowed");
        return image === undefined ? undefined : { mounts: [AGENTS] };
      default:
        throw new Error("Unknown IPC mode");
    }
  }
}

const AGENTS: ContainerMount = {
  source: "/dev/shm",
  target: "/dev/shm",
  options: ["bind"],
  create: "directory",
};

const entered = ({ pid }: EnclosingContainer): Contribution => ({ enter: { ipc: `/proc/${pid}/ns/ipc` } });

/** What it has at its `/dev/shm`, be that the agent's, its own or another's. */
const sharedWith = (within: EnclosingContainer): Contribution => ({
  ...entered(within),
  namespaces: ["mount"],
  mounts: [{ ...AGENTS, from: `/proc/${within.pid}/ns/mnt` }],
});

const sharedMemory = (bytes?: number): ContainerMount => ({
  source: "tmpfs",
  target: "/dev/shm",
  type: "tmpfs",
  options: ["nosuid", "nodev", "strictatime", "mode=1777", ...(bytes === undefined ? [] : [`size=${bytes}`])],
  create: "directory",
});
