import { renameSync } from "node:fs";
import { chmod, mkdir, mkdtemp, readdir } from "node:fs/promises";
import { join } from "node:path";
import type { Random } from "../../../sdk/contracts/random.js";
import { invalid } from "../refusals.js";
import type { SourceLayer } from "../source/image-source.js";
import { unpackLayer } from "../unpack-layer.js";
import type { StorePaths } from "./paths.js";
import { removeAll } from "./remove-all.js";
import { SharedWork } from "./shared-work.js";

/** Digests of layers and configurations that somebody is about to use: they stay. Grows while an image is pulled. */
export type Hold = Set<string>;

export interface LayerShelfOptions {
  readonly paths: StorePaths;
  /** Of one layer, unpacked. */
  readonly maxLayerBytes: number;
  readonly random: Random;
}

/** Unpacked layers on the disk. Each is made once, however many images wait for it. */
export class LayerShelf {
  private readonly complete = new Set<string>();
  private readonly unpacking = new SharedWork<string>();
  private readonly holds = new Set<Hold>();

  constructor(private readonly options: LayerShelfOptions) {}

  has = (diffId: string): boolean => this.complete.has(diffId);

  /** Takes up those of an earlier run that are known to be whole, and removes the others. */
  async recover(known: ReadonlySet<string>): Promise<void> {
    const { paths } = this.options;
    const unknown: string[] = [];
    for (const name of await readdir(paths.layers())) {
      if (known.has(`sha256:${name}`)) this.complete.add(`sha256:${name}`);
      else unknown.push(join(paths.layers(), name));
    }
    await removeAll(unknown);
  }

  hold(digests: Iterable<string>): Hold {
    const hold = new Set(digests);
    this.holds.add(hold);
    return hold;
  }

  /** In the next turn of the event loop: whoever has been handed what was held takes hold of it first. */
  release(hold: Hold): void {
    setImmediate(() => this.holds.delete(hold));
  }

  held(): Set<string> {
    return new Set([...this.holds].flatMap((hold) => [...hold]));
  }

  /** The layer, unpacked: its digest, which is in the hold from the moment on in which the layer is there. */
  async obtain(layer: SourceLayer, hold: Hold, signal: AbortSignal): Promise<string> {
    const { diffId } = layer;
    if (diffId === undefined) return this.unpack(layer, (id) => hold.add(id), signal);
    hold.add(diffId);
    while (!this.complete.has(diffId)) {
      let isOwn = false;
      const unpack = (ended: AbortSignal): Promise<string> => {
        isOwn = true;
        return this.unpack(layer, () => undefined, ended);
      };
      await this.unpacking.join(diffId, signal, unpack).catch((error: unknown) => {
        // Another image's registry or archive may have failed where this one's does not.
        if (isOwn || signal.aborted) throw error;
      });
    }
    return diffId;
  }

  /** Takes all others away, at once: nothing else runs between the choice and the last of them. What is returned has to be removed. */
  takeAway(keep: (diffId: string) => boolean): string[] {
    const { paths, random } = this.options;
    const rubbish: string[] = [];
    for (const diffId of this.complete) {
      if (keep(diffId)) continue;
      const place = join(paths.rubbish(), random.uuid());
      renameSync(paths.layer(diffId), place);
      this.complete.delete(diffId);
      rubbish.push(place);
    }
    return rubbish;
  }

  private async unpack(
    layer: SourceLayer,
    onComplete: (diffId: string) => void,
    signal: AbortSignal,
  ): Promise<string> {
    const { paths, maxLayerBytes } = this.options;
    const staging = await mkdtemp(join(paths.staging(), "layer-"));
    try {
      const { file, start, length } = await layer.obtain(staging, signal);
      const directory = join(staging, "rootfs");
      await mkdir(directory);
      // Whatever the agent's umask is: it becomes the root directory of containers.
      await chmod(directory, 0o755);
      const diffId = await unpackLayer({ file, start, length, directory, maxBytes: maxLayerBytes, signal });
      if (layer.diffId !== undefined && layer.diffId !== diffId) {
        throw invalid(
          `the layer ${layer.name} is not what its image says: it is ${diffId}, not ${layer.diffId}`,
        );
      }
      signal.throwIfAborted();
      if (!this.complete.has(diffId)) {
        renameSync(directory, paths.layer(diffId));
        this.complete.add(diffId);
      }
      onComplete(diffId);
      return diffId;
    } finally {
      await removeAll([staging]);
    }
  }
}
