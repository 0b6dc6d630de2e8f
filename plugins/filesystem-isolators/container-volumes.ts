import type { ContainerID } from "../../proto/gen/mesos/v1/mesos.js";
import type { ContainerRequest } from "../../sdk/contracts/containerizer.js";
import { containerName } from "../../sdk/ids/index.js";
import type { Resources } from "../../sdk/resources/index.js";
import { type PersistentVolume, persistentVolumes } from "../../sdk/volumes/index.js";
import type { VolumeAccess } from "./volume-access.js";

/** How volumes get into, and out of, the sandbox of a container that runs. */
export interface VolumePlacement {
  /** Undefined: the container's main process is not known. */
  readonly pid: number | undefined;
  readonly container: VolumeContainer;
}

export interface VolumeContainer {
  readonly id: string;
  /** Host path. */
  readonly sandbox: string;
  /** It has a root file system of its own. */
  readonly image: boolean;
}

interface Held extends VolumeContainer {
  readonly containerId: ContainerID;
  /** By place in the container. */
  readonly volumes: Map<string, PersistentVolume>;
  /** Changes of one container come one after the other. */
  last: Promise<void>;
}

/** The persistent volumes that containers have, and the changes that new amounts of resources mean. */
export class ContainerVolumes {
  private readonly containers = new Map<string, Held>();

  constructor(
    private readonly options: {
      readonly workDir: string;
      readonly access: VolumeAccess;
      readonly add: (volume: PersistentVolume, to: VolumePlacement) => Promise<void>;
      readonly remove: (volume: PersistentVolume, from: VolumePlacement) => Promise<void>;
    },
  ) {}

  /** Containers with a root file system of their own. */
  get images(): number {
    return [...this.containers.values()].filter(({ image }) => image).length;
  }

  /** Takes up containers of an earlier run, with what they have. */
  recover(requests: readonly ContainerRequest[]): void {
    for (const request of requests) {
      const held = this.hold(request);
      for (const volume of this.volumesOf(request)) {
        held.volumes.set(volume.containerPath, volume);
        this.options.access.note(volume, held.id);
      }
    }
  }

  /** Lets the container into its volumes; the caller puts them in place. */
  async prepare(
    request: ContainerRequest,
  ): Promise<{ volumes: readonly PersistentVolume[]; groups: readonly number[] }> {
    const held = this.hold(request);
    const groups = new Set<number>();
    for (const volume of this.volumesOf(request)) {
      // Noted first: `cleanup` also follows a failure.
      held.volumes.set(volume.containerPath, volume);
      const group = await this.options.access.grant(volume, { containerId: held.id, sandbox: held.sandbox });
      if (group !== undefined) groups.add(group);
    }
    return { volumes: [...held.volumes.values()], groups: [...groups] };
  }

  update(containerId: string, resources: Resources, pid: number | undefined): Promise<void> {
    const held = this.containers.get(containerId);
    if (held === undefined) return Promise.resolve();
    held.last = held.last.catch(() => undefined).then(() => this.change(held, resources, pid));
    return held.last;
  }

  cleanup(containerId: string): void {
    const held = this.containers.get(containerId);
    if (held === undefined) return;
    this.containers.delete(containerId);
    for (const { path } of held.volumes.values()) this.options.access.release(path, containerId);
  }

  private async change(held: Held, resources: Resources, pid: number | undefined): Promise<void> {
    const { access, add, remove } = this.options;
    const volumes = this.volumesOf({ containerId: held.containerId, resources });
    const wanted = new Map(volumes.map((volume) => [volume.containerPath, volume]));
    const placement = { pid, container: held };
    for (const [place, volume] of [...held.volumes]) {
      if (wanted.get(place)?.path === volume.path) continue;
      await remove(volume, placement);
      held.volumes.delete(place);
      access.release(volume.path, held.id);
    }
    for (const [place, volume] of wanted) {
      if (held.volumes.has(place)) continue;
      await access.grant(volume, { containerId: held.id, sandbox: held.sandbox });
      await add(volume, placement);
      held.volumes.set(place, volume);
    }
  }

  /** Those of a container within another are that one's, which gives them on as volumes of its sandbox. */
  private volumesOf({
    containerId,
    resources,
  }: Pick<ContainerRequest, "containerId" | "resources">): PersistentVolume[] {
    return containerId.parent === undefined ? persistentVolumes(resources, this.options.workDir) : [];
  }

  private hold({ containerId, directory, container }: ContainerRequest): Held {
    const held: Held = {
      id: containerName(containerId),
      containerId,
      sandbox: directory,
      image: container?.mesos?.image !== undefined,
      volumes: new Map(),
      last: Promise.resolve(),
    };
    this.containers.set(held.id, held);
    return held;
  }
}
