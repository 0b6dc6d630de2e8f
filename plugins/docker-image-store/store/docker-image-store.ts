import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, renameSync } from "node:fs";
import { chmod, mkdir, mkdtemp, readdir, readFile, rename } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { type Image, Image_Type } from "../../../proto/gen/mesos/v1/mesos.js";
import type { ImageStore, StoredImage } from "../../../sdk/contracts/image.js";
import type { Logger } from "../../../sdk/contracts/logger.js";
import type { MetricTimer } from "../../../sdk/contracts/metrics.js";
import type { Random } from "../../../sdk/contracts/random.js";
import { isTepuiError, messageOf } from "../../../sdk/errors/index.js";
import { parseConfig } from "../image-config.js";
import { type ImageReference, normalName, parseReference } from "../reference.js";
import { invalid, pullFailed } from "../refusals.js";
import type { CredentialTable } from "../registry/docker-config.js";
import type { ImageSource, SourceImage } from "../source/image-source.js";
import {
  type Catalogue,
  type CatalogueEntry,
  readCatalogue,
  writeCatalogue,
  writeDurably,
} from "./catalogue.js";
import type { ImageCredentials } from "./image-credentials.js";
import { type Hold, LayerShelf } from "./layer-shelf.js";
import type { StorePaths } from "./paths.js";
import { removeAll } from "./remove-all.js";
import { SharedWork } from "./shared-work.js";

export interface DockerImageStoreOptions {
  readonly paths: StorePaths;
  readonly source: ImageSource;
  readonly credentials: ImageCredentials;
  /** Of one layer, unpacked. */
  readonly maxLayerBytes: number;
  readonly pullTimer: MetricTimer;
  readonly random: Random;
  readonly logger: Logger;
}

interface Pull {
  readonly name: string;
  readonly reference: ImageReference;
  readonly credentials: CredentialTable;
}

/** Layers of one image that are downloaded and unpacked at the same time. */
const PARALLEL_LAYERS = 3;
const run = promisify(execFile);

/**
 * Docker's images, unpacked: each layer once, under its digest, in overlayfs's form.
 *
 * `images.json` says what is there. An image and its layers are in it only when all of it is on the disk; what is on the disk and not
 * in it goes at the next start.
 */
export class DockerImageStore implements ImageStore {
  private readonly images = new Map<string, CatalogueEntry>();
  private readonly shelf: LayerShelf;
  /** Layers that are on the disk for good; those that a pull has only just unpacked are not. */
  private readonly durable = new Set<string>();
  private readonly pulls = new SharedWork<CatalogueEntry>();
  private saving: Promise<void> = Promise.resolve();
  /** The list on the disk is known. Written before, it would lose what is in it, and with that the layers of running containers. */
  private recovered = false;

  constructor(private readonly options: DockerImageStoreOptions) {
    this.shelf = new LayerShelf(options);
  }

  async recover(): Promise<void> {
    const { paths, logger } = this.options;
    await mkdir(paths.root, { recursive: true });
    // Layers hold programs that run with their owner's rights (set-uid): nobody on this host is to find them.
    await chmod(paths.root, 0o700);
    await Promise.all(
      [paths.staging(), paths.rubbish(), paths.layers(), paths.configs()].map((directory) =>
        mkdir(directory, { recursive: true }),
      ),
    );
    const { images, layers } = (await this.readCatalogue()) ?? { images: new Map(), layers: new Set() };
    await this.shelf.recover(layers);
    for (const layer of layers) if (this.shelf.has(layer)) this.durable.add(layer);
    for (const [name, entry] of images) {
      const whole = entry.layers.every(this.shelf.has) && existsSync(paths.config(entry.config));
      if (whole) this.images.set(name, entry);
      else
        logger.warn(
          { image: name },
          "an image in the store is not complete: it is pulled anew when it is asked for",
        );
    }
    this.recovered = true;
    for (const directory of [paths.staging(), paths.rubbish()]) {
      await removeAll((await readdir(directory)).map((name) => join(directory, name)));
    }
    await this.removeConfigs();
    // On a full disk the old list stays, which leads to the same the next time.
    await this.save().catch((error: unknown) =>
      logger.warn({ err: error }, "the list of stored images cannot be written"),
    );
  }

  async get(image: Image, { signal }: { readonly signal: AbortSignal }): Promise<StoredImage> {
    if (image.type !== Image_Type.DOCKER || image.docker?.name === undefined) {
      throw invalid("an image of the type DOCKER must have a name");
    }
    const reference = parseReference(image.docker.name);
    const name = normalName(reference);
    const known = image.cached === false ? undefined : this.images.get(name);
    if (known !== undefined) return this.stored(known);
    const { table, identity } = await this.options.credentials.of(image, reference, name);
    const entry = await this.pulls.join(`${name} ${identity}`, signal, (ended) =>
      this.pull({ name, reference, credentials: table }, ended),
    );
    return this.stored(entry);
  }

  async prune({
    keep,
    layersInUse,
  }: {
    readonly keep: readonly Image[];
    readonly layersInUse: ReadonlySet<string>;
  }): Promise<void> {
    const { paths, logger } = this.options;
    const names = new Set(keep.flatMap(nameOf));
    const held = this.shelf.held();
    const isUsed = (layer: string): boolean => held.has(layer) || layersInUse.has(paths.layer(layer));
    const named = new Set<string>();
    for (const entry of this.images.values()) {
      if (names.has(entry.name) || entry.layers.every(isUsed))
        for (const layer of entry.layers) named.add(layer);
      else this.images.delete(entry.name);
    }
    const rubbish = this.shelf.takeAway((layer) => named.has(layer) || isUsed(layer));
    for (const layer of this.durable) if (!this.shelf.has(layer)) this.durable.delete(layer);
    // First: on a full disk nothing can be written before there is room. An image in the list whose layers have gone is found to be so.
    await removeAll(rubbish);
    await this.removeConfigs();
    await this.save();
    if (rubbish.length > 0) {
      logger.info({ layers: rubbish.length, left: this.images.size }, "removed layers of images not in use");
    }
  }

  /** Synchronous up to the hold: what the caller has found in memory cannot go. */
  private async stored({ name, config, layers }: CatalogueEntry): Promise<StoredImage> {
    const { paths } = this.options;
    const hold = this.shelf.hold([config, ...layers]);
    try {
      const text = await readFile(paths.config(config));
      return {
        name,
        layers: layers.map(paths.layer),
        config: parseConfig(text, `the configuration of '${name}'`).config,
      };
    } finally {
      this.shelf.release(hold);
    }
  }

  private async pull({ name, reference, credentials }: Pull, signal: AbortSignal): Promise<CatalogueEntry> {
    const { paths, source, pullTimer, logger } = this.options;
    const stop = pullTimer.start();
    const staging = await mkdtemp(join(paths.staging(), "pull-"));
    const hold = this.shelf.hold([]);
    try {
      const image = await source.find(reference, { directory: staging, credentials, signal });
      if (image.layers.length === 0) throw invalid(`'${name}' has no layers`);
      logger.info({ image: name, digest: image.digest, layers: image.layers.length }, "pulling an image");
      const layers = await this.layers(image, hold, signal);
      const config = await this.keepConfig(image.config, hold, staging);
      // Before the catalogue says that they are there, which is more than names of files that the disk has no content of.
      await run("sync", ["--file-system", paths.layers()]);
      signal.throwIfAborted();
      const entry = { name, digest: image.digest, config, layers: lastOfEach(layers) };
      await this.keep(entry);
      logger.info({ image: name, digest: image.digest, ms: Math.round(stop()) }, "pulled an image");
      return entry;
    } catch (error) {
      signal.throwIfAborted();
      throw isTepuiError(error) ? error : pullFailed(`'${name}': ${messageOf(error)}`, error);
    } finally {
      await removeAll([staging]);
      // Last: from here to who waits for the image nothing but promises is on the way.
      this.shelf.release(hold);
    }
  }

  /** Takes an image into the list. One that cannot be written there is not given out either: its layers would go at the next start. */
  private async keep(entry: CatalogueEntry): Promise<void> {
    const { name, layers } = entry;
    const before = this.images.get(name);
    const added = layers.filter((layer) => !this.durable.has(layer));
    for (const layer of added) this.durable.add(layer);
    this.images.set(name, entry);
    try {
      await this.save();
    } catch (error) {
      if (before === undefined) this.images.delete(name);
      else this.images.set(name, before);
      const needed = new Set([...this.images.values()].flatMap((image) => image.layers));
      for (const layer of added) if (!needed.has(layer)) this.durable.delete(layer);
      throw error;
    }
  }

  /** All layers of an image, unpacked: their digests, in order. */
  private async layers(image: SourceImage, hold: Hold, signal: AbortSignal): Promise<string[]> {
    const failed = new AbortController();
    const either = AbortSignal.any([signal, failed.signal]);
    const ids: string[] = [];
    const queue = [...image.layers.entries()];
    const work = async (): Promise<void> => {
      for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
        const [index, layer] = next;
        ids[index] = await this.shelf.obtain(layer, hold, either);
      }
    };
    const workers = Array.from({ length: PARALLEL_LAYERS }, work);
    try {
      await Promise.all(workers);
    } catch (error) {
      failed.abort(error);
      // Nobody is to read in the staging directory while it is removed.
      await Promise.allSettled(workers);
      throw error;
    }
    return ids;
  }

  private async keepConfig(config: Buffer, hold: Hold, staging: string): Promise<string> {
    const digest = `sha256:${createHash("sha256").update(config).digest("hex")}`;
    hold.add(digest);
    await writeDurably(this.options.paths.config(digest), config, join(staging, "config.json"));
    return digest;
  }

  /** Configurations of images that are no more. */
  private async removeConfigs(): Promise<void> {
    const { paths, random } = this.options;
    const names = await readdir(paths.configs());
    // From here to the last rename nothing else runs: who needs one now either has said so, or writes it again.
    const needed = this.shelf.held();
    for (const { config } of this.images.values()) needed.add(config);
    const rubbish: string[] = [];
    for (const name of names) {
      // Another call may have come first.
      if (needed.has(`sha256:${name}`) || !existsSync(join(paths.configs(), name))) continue;
      const place = join(paths.rubbish(), random.uuid());
      renameSync(join(paths.configs(), name), place);
      rubbish.push(place);
    }
    await removeAll(rubbish);
  }

  private async readCatalogue(): Promise<Catalogue | undefined> {
    const { paths, random, logger } = this.options;
    try {
      return await readCatalogue(paths.catalogue());
    } catch (error) {
      // Running containers may have these layers: they are put aside, and not removed.
      const aside = join(paths.root, `damaged-${random.uuid()}`);
      logger.error({ err: error, aside }, "the list of stored images cannot be read: all is put aside");
      await mkdir(aside);
      await rename(paths.layers(), join(aside, "layers"));
      await rename(paths.catalogue(), join(aside, "images.json"));
      await mkdir(paths.layers());
      return undefined;
    }
  }

  private async save(): Promise<void> {
    if (!this.recovered) throw new Error("the store of images has not been recovered");
    const save = this.saving.then(() =>
      writeCatalogue(this.options.paths.catalogue(), { images: this.images, layers: this.durable }),
    );
    this.saving = save.catch(() => undefined);
    return save;
  }
}

/** What is to be kept may be written by hand, and name what is no image. */
function nameOf(image: Image): string[] {
  if (image.docker?.name === undefined) return [];
  return [normalName(parseReference(image.docker.name))];
}

/** A layer that occurs twice has its effect where it is highest, and overlayfs takes it once only. */
const lastOfEach = (ids: readonly string[]): string[] =>
  ids.filter((id, index) => ids.lastIndexOf(id) === index);
