import { chown, mkdir, stat } from "node:fs/promises";
import type { Owner } from "../../sdk/safe-files/index.js";
import type { PersistentVolume } from "../../sdk/volumes/index.js";
import type { VolumeGids } from "./volume-gids.js";

/**
 * Lets the users of containers into persistent volumes: through a group of the volume's own where `--volume_gid_range` is
 * given, otherwise by giving the volume to the user, as Mesos does.
 */
export class VolumeAccess {
  /** Host path of a volume -> the containers that use it. */
  private readonly users = new Map<string, Set<string>>();

  constructor(private readonly gids: VolumeGids | undefined) {}

  /** Also makes the volume's directory if it is missing. Resolves to the group that the container needs, if any. */
  async grant(
    volume: PersistentVolume,
    { containerId, sandbox }: { containerId: string; sandbox: string },
  ): Promise<number | undefined> {
    await mkdir(volume.path, { recursive: true, mode: 0o755 });
    const owner = await stat(sandbox);
    const others = [...(this.users.get(volume.path) ?? [])].some((id) => id !== containerId);
    let group: number | undefined;
    if (owner.uid !== 0) {
      if (this.gids !== undefined && volume.providerId === undefined)
        group = await this.gids.allocate(volume.path);
      else if (!(volume.shared && others)) await give(volume, owner);
    }
    this.note(volume, containerId);
    return group;
  }

  /** Taken up from an earlier run of the agent: the container has it already. */
  note(volume: PersistentVolume, containerId: string): void {
    const users = this.users.get(volume.path) ?? new Set();
    this.users.set(volume.path, users.add(containerId));
  }

  release(path: string, containerId: string): void {
    const users = this.users.get(path);
    users?.delete(containerId);
    if (users?.size === 0) this.users.delete(path);
  }
}

async function give({ id, path }: PersistentVolume, { uid, gid }: Owner): Promise<void> {
  const now = await stat(path);
  if (now.uid === uid && now.gid === gid) return;
  try {
    await chown(path, uid, gid);
  } catch (error) {
    throw new Error(`the volume '${id}' cannot be given to user ${uid}`, { cause: error });
  }
}
