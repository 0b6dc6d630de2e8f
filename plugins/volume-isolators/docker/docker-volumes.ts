import { chown } from "node:fs/promises";
import type { ContainerRequest, RecoverableContainer } from "../../../sdk/contracts/containerizer.js";
import type { ContainerMount, Contribution } from "../../../sdk/contracts/contribution.js";
import type { Isolator } from "../../../sdk/contracts/isolator.js";
import type { Logger } from "../../../sdk/contracts/logger.js";
import { messageOf } from "../../../sdk/errors/index.js";
import { containerName } from "../../../sdk/ids/index.js";
import { accountOf, isOwnUser } from "../../../sdk/proc/index.js";
import { mountPoint } from "../mount-point.js";
import { type AskedVolume, volumesOf } from "../volumes-of.js";
import type { VolumeCheckpoints } from "./checkpoints.js";
import type { DockerVolume, VolumeDriver } from "./driver.js";

export interface DockerVolumesOptions {
  readonly driver: VolumeDriver;
  readonly checkpoints: VolumeCheckpoints;
  readonly sandboxDirectory: string;
  /** Give what is mounted to the container's user. */
  readonly chown: boolean;
  readonly logger: Logger;
}

interface Wanted {
  readonly asked: AskedVolume<"docker-volume">;
  readonly volume: DockerVolume;
}

/** Volumes of Docker's volume plugins. One is mounted once on the host, and unmounted when the last of its containers has ended. */
export class DockerVolumes implements Isolator {
  readonly name = "docker/volume";
  readonly nesting = true;
  private readonly used = new Map<string, ReadonlyMap<string, DockerVolume>>();
  /** What is done to one volume is done in order. */
  private readonly queues = new Map<string, Promise<unknown>>();

  constructor(private readonly options: DockerVolumesOptions) {}

  async recover(containers: readonly RecoverableContainer[]): Promise<void> {
    const live = new Set(containers.map(({ request }) => containerName(request.containerId)));
    const found = await this.options.checkpoints.read();
    for (const [id, volumes] of found) this.used.set(id, byKey(volumes));
    for (const id of found.keys()) {
      if (live.has(id)) continue;
      // Its driver may be away. The agent need not be for that: the checkpoint stays, for the next time.
      await this.cleanup(id).catch((error: unknown) =>
        this.options.logger.warn({ err: error, container: id }, "volumes of an earlier run stay mounted"),
      );
    }
  }

  async prepare(request: ContainerRequest): Promise<Contribution | undefined> {
    const id = containerName(request.containerId);
    const wanted = volumesOf(request, "docker-volume").map((asked) => ({
      asked,
      volume: nameOf(asked, id),
    }));
    if (wanted.length === 0) return undefined;
    const volumes = new Map<string, DockerVolume>();
    for (const { volume } of wanted) {
      if (volumes.has(keyOf(volume)))
        throw new Error(
          `Found duplicate docker volume with driver '${volume.driver}' and name '${volume.name}'`,
        );
      volumes.set(keyOf(volume), volume);
    }
    await this.options.checkpoints.write(id, [...volumes.values()]);
    this.used.set(id, volumes);
    // All of them, also when one fails: what is mounted later than the clean-up would stay.
    const mounts = await settled(wanted.map((one) => this.mount(request, one)));
    return { namespaces: ["mount"], mounts };
  }

  async cleanup(containerId: string): Promise<void> {
    const volumes = this.used.get(containerId);
    if (volumes === undefined) return;
    this.used.delete(containerId);
    const others = new Set([...this.used.values()].flatMap((each) => [...each.keys()]));
    const unused = [...volumes].filter(([key]) => !others.has(key));
    await settled(
      unused.map(([key, volume]) => this.inOrder(key, () => this.options.driver.unmount(volume))),
    );
    await this.options.checkpoints.remove(containerId);
  }

  private async mount(
    request: ContainerRequest,
    { asked: { volume: place, source, readOnly }, volume }: Wanted,
  ): Promise<ContainerMount> {
    const { driver, sandboxDirectory } = this.options;
    const point = await mountPoint(request, place, { kind: "directory", sandboxDirectory });
    const path = await this.inOrder(keyOf(volume), () => driver.mount(volume, source.options));
    await this.give(path, request.user);
    return { source: path, ...point, options: ["rbind", ...(readOnly ? ["ro"] : [])] };
  }

  private async give(path: string, user: string | undefined): Promise<void> {
    if (!this.options.chown || user === undefined || isOwnUser(user)) return;
    const account = await accountOf(user);
    if (account === undefined)
      throw new Error(
        `Failed to set '${user}' as the docker volume '${path}' owner: the user does not exist`,
      );
    await chown(path, account.uid, account.gid);
  }

  private inOrder<T>(key: string, act: () => Promise<T>): Promise<T> {
    const before = this.queues.get(key) ?? Promise.resolve();
    const done = before.then(act, act);
    this.queues.set(key, done);
    const forget = (): void => {
      if (this.queues.get(key) === done) this.queues.delete(key);
    };
    done.then(forget, forget);
    return done;
  }
}

function nameOf({ source: { driver, name } }: AskedVolume<"docker-volume">, id: string): DockerVolume {
  if (driver === undefined)
    throw new Error(`The volume driver is not specified for volume '${name}' with container ${id}`);
  return { driver, name };
}

/** Rejects when one did, with what all of them said, but not before all are over. */
async function settled<T>(all: readonly Promise<T>[]): Promise<T[]> {
  const results = await Promise.allSettled(all);
  const failures = results.filter((result) => result.status === "rejected");
  if (failures.length > 0) throw new Error(failures.map(({ reason }) => messageOf(reason)).join("\n"));
  return results.filter((result) => result.status === "fulfilled").map(({ value }) => value);
}

const keyOf = ({ driver, name }: DockerVolume): string => JSON.stringify([driver, name]);

const byKey = (volumes: readonly DockerVolume[]): Map<string, DockerVolume> =>
  new Map(volumes.map((volume) => [keyOf(volume), volume]));
