import { join } from "node:path";
import type { ContainerRequest, RecoverableContainer } from "../../sdk/contracts/containerizer.js";
import type { ContainerMount, Contribution } from "../../sdk/contracts/contribution.js";
import type { ContainerUpdate, Isolator } from "../../sdk/contracts/isolator.js";
import type { PersistentVolume } from "../../sdk/volumes/index.js";
import { ContainerVolumes, type VolumePlacement } from "./container-volumes.js";
import type { LiveMounts } from "./live-mounts.js";
import { rootfsContribution } from "./rootfs.js";
import type { VolumeAccess } from "./volume-access.js";

export interface LinuxFilesystemOptions {
  readonly workDir: string;
  /** Where containers with a root file system of their own find their sandbox. */
  readonly sandboxDirectory: string;
  /** `namespaces/ipc` is there, and brings `/dev/shm`. */
  readonly ipcIsolated: boolean;
  readonly access: VolumeAccess;
  readonly liveMounts: LiveMounts;
}

/**
 * Mounts of each container's own: its root file system, where it has one, and persistent volumes. All of them are made in the container's
 * mount namespace, so none is left when it ends, and nothing that removes a sandbox can get into a volume.
 */
export class LinuxFilesystem implements Isolator {
  readonly name = "filesystem/linux";
  readonly nesting = true;
  private readonly volumes: ContainerVolumes;

  constructor(private readonly options: LinuxFilesystemOptions) {
    const { liveMounts } = options;
    this.volumes = new ContainerVolumes({
      workDir: options.workDir,
      access: options.access,
      add: ({ path, containerPath, readOnly }, placement) =>
        liveMounts.add({ ...this.live(containerPath, placement), source: path, readOnly }),
      remove: ({ containerPath }, placement) => liveMounts.remove(this.live(containerPath, placement)),
    });
  }

  /** Containers with a root file system of their own. */
  get newRootfs(): number {
    return this.volumes.images;
  }

  async recover(containers: readonly RecoverableContainer[]): Promise<void> {
    this.volumes.recover(containers.map(({ request }) => request));
  }

  async prepare(request: ContainerRequest): Promise<Contribution> {
    const { sandboxDirectory, ipcIsolated } = this.options;
    const { volumes, groups } = await this.volumes.prepare(request);
    const image = request.image !== undefined;
    const base: Contribution = image
      ? rootfsContribution({
          sandbox: request.directory,
          sandboxDirectory,
          sharedMemory: !ipcIsolated,
          privileged: sharesHostProcesses(request),
        })
      : { namespaces: ["mount"] };
    if (volumes.length === 0) return base;
    return {
      ...base,
      mounts: [...(base.mounts ?? []), ...volumes.map((volume) => this.mount(volume, image))],
      ...(groups.length > 0 && { supplementaryGroups: groups }),
    };
  }

  async update(containerId: string, { resources, pid }: ContainerUpdate): Promise<void> {
    await this.volumes.update(containerId, resources, pid);
  }

  async cleanup(containerId: string): Promise<void> {
    this.volumes.cleanup(containerId);
  }

  private mount({ path, containerPath, readOnly }: PersistentVolume, image: boolean): ContainerMount {
    return {
      source: path,
      target: image ? join(this.options.sandboxDirectory, containerPath) : containerPath,
      options: readOnly ? ["bind", "ro"] : ["bind"],
      create: "directory",
    };
  }

  private live(
    path: string,
    { pid, container }: VolumePlacement,
  ): { pid: number; directory: string; path: string } {
    if (pid === undefined) throw new Error("the container does not run yet");
    return { pid, directory: container.image ? this.options.sandboxDirectory : container.sandbox, path };
  }
}

/** It, and all that it is within. */
function sharesHostProcesses({ container, within }: ContainerRequest): boolean {
  return (
    container?.linux_info?.share_pid_namespace === true &&
    (within === undefined || sharesHostProcesses(within.request))
  );
}
