import type { ContainerRequest, RecoverableContainer } from "../../sdk/contracts/containerizer.js";
import type { Contribution } from "../../sdk/contracts/contribution.js";
import type { ContainerUpdate, Isolator } from "../../sdk/contracts/isolator.js";
import type { Logger } from "../../sdk/contracts/logger.js";
import { SafeDirectory } from "../../sdk/safe-files/index.js";
import type { PersistentVolume } from "../../sdk/volumes/index.js";
import { ContainerVolumes } from "./container-volumes.js";
import type { VolumeAccess } from "./volume-access.js";

export interface PosixFilesystemOptions {
  readonly workDir: string;
  readonly access: VolumeAccess;
  readonly logger: Logger;
}

/** Containers in the host's file system: persistent volumes are symbolic links in their sandboxes. */
export class PosixFilesystem implements Isolator {
  readonly name: string = "filesystem/posix";
  private readonly volumes: ContainerVolumes;

  constructor(private readonly options: PosixFilesystemOptions) {
    this.volumes = new ContainerVolumes({
      workDir: options.workDir,
      access: options.access,
      add: async (volume, { container }) => this.link(volume, container.sandbox),
      remove: async ({ containerPath, path }, { container }) =>
        new SafeDirectory(container.sandbox).unlink(containerPath, path),
    });
  }

  async recover(containers: readonly RecoverableContainer[]): Promise<void> {
    this.volumes.recover(containers.map(({ request }) => request));
  }

  async prepare(request: ContainerRequest): Promise<Contribution | undefined> {
    const { volumes, groups } = await this.volumes.prepare(request);
    for (const volume of volumes) this.link(volume, request.directory);
    return groups.length === 0 ? undefined : { supplementaryGroups: groups };
  }

  async update(containerId: string, { resources }: ContainerUpdate): Promise<void> {
    await this.volumes.update(containerId, resources, undefined);
  }

  async cleanup(containerId: string): Promise<void> {
    this.volumes.cleanup(containerId);
  }

  private link({ id, path, containerPath, readOnly }: PersistentVolume, sandbox: string): void {
    if (readOnly)
      this.options.logger.warn(
        { volume: id, isolator: this.name },
        "a volume that was asked for read-only can be written: a link cannot prevent it",
      );
    new SafeDirectory(sandbox).link(containerPath, path);
  }
}
