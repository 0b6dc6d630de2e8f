import { mkdir, rm } from "node:fs/promises";
import { type Image, Image_Type } from "../../proto/gen/mesos/v1/mesos.js";
import type { ImageStore, ProvisionedImage, Provisioner, RootfsBackend } from "../../sdk/contracts/image.js";
import type { Logger } from "../../sdk/contracts/logger.js";
import type { Counter } from "../../sdk/contracts/metrics.js";
import type { Random } from "../../sdk/contracts/random.js";
import { messageOf, TepuiError } from "../../sdk/errors/index.js";
import type { ProvisionerRecords, RootfsPlace } from "./records.js";

export interface ImageProvisionerOptions {
  /** By image type: `docker`. */
  readonly stores: ReadonlyMap<string, ImageStore>;
  /** By name: `overlay`. */
  readonly backends: ReadonlyMap<string, RootfsBackend>;
  readonly records: ProvisionerRecords;
  /** Never pruned. */
  readonly excludedImages: readonly Image[];
  readonly removeErrors: Counter;
  readonly random: Random;
  readonly logger: Logger;
}

interface Container {
  readonly layers: Set<string>;
  /** Root file systems being made; none of them ever rejects. */
  readonly making: Set<Promise<unknown>>;
  destroyed: Promise<void> | undefined;
}

/** Makes root file systems out of images, and remembers for each container which layers it uses. */
export class ImageProvisioner implements Provisioner {
  private readonly containers = new Map<string, Container>();
  /** Containers whose layers are not known. */
  private readonly unreadable = new Set<string>();
  private recovered = false;

  /** @param backendName the one for new root file systems; called when it has been chosen */
  constructor(
    private readonly options: ImageProvisionerOptions,
    private readonly backendName: () => string,
  ) {}

  async recover(containerIds: ReadonlySet<string>): Promise<void> {
    const { records, stores, logger } = this.options;
    // Set-uid programs of images are for the containers alone.
    await mkdir(records.root, { recursive: true, mode: 0o700 });
    for (const id of await records.containers()) {
      this.containers.set(id, await this.takeUp(id));
      if (containerIds.has(id)) continue;
      logger.info({ container: id }, "removing root file systems of a container that nobody knows");
      await this.destroy(id).catch((error: unknown) =>
        logger.warn(
          { err: error, container: id },
          "a root file system could not be removed; the next start tries again",
        ),
      );
    }
    await Promise.all([...stores.values()].map((store) => store.recover()));
    this.recovered = true;
  }

  async provision(
    containerId: string,
    image: Image,
    { signal }: { readonly signal: AbortSignal },
  ): Promise<ProvisionedImage> {
    const container = this.containerOf(containerId);
    const making = this.make(containerId, { container, image, signal });
    const settled = making.then(
      () => undefined,
      () => undefined,
    );
    container.making.add(settled);
    void settled.then(() => container.making.delete(settled));
    return making;
  }

  destroy(containerId: string): Promise<void> {
    const container = this.containers.get(containerId);
    if (container === undefined) return Promise.resolve();
    container.destroyed ??= this.remove(containerId, container).catch((error: unknown) => {
      this.options.removeErrors.inc();
      // Another attempt may succeed.
      container.destroyed = undefined;
      throw error;
    });
    return container.destroyed;
  }

  async prune(keep: readonly Image[]): Promise<void> {
    const { stores, excludedImages } = this.options;
    // Nothing is known yet of what containers of an earlier run use.
    if (!this.recovered) return;
    const [unknown] = this.unreadable;
    if (unknown !== undefined) {
      throw new TepuiError("TEPUI_IMAGE_INVALID", {
        text: `Images are not removed while container '${unknown}' exists, whose layers are not known`,
      });
    }
    const all = [...keep, ...excludedImages];
    for (const [type, store] of stores) {
      await store.prune({
        keep: all.filter((image) => typeOf(image) === type),
        layersInUse: this.layersInUse(),
      });
    }
  }

  private layersInUse(): Set<string> {
    return new Set([...this.containers.values()].flatMap(({ layers }) => [...layers]));
  }

  private containerOf(id: string): Container {
    const known = this.containers.get(id);
    if (known?.destroyed !== undefined) throw launchFailed(`container '${id}' is being destroyed`);
    const container = known ?? { layers: new Set(), making: new Set(), destroyed: undefined };
    this.containers.set(id, container);
    return container;
  }

  private async make(
    id: string,
    {
      container,
      image,
      signal,
    }: { readonly container: Container; readonly image: Image; readonly signal: AbortSignal },
  ): Promise<ProvisionedImage> {
    const { stores, backends, records, random, logger } = this.options;
    const type = typeOf(image);
    const store = stores.get(type);
    if (store === undefined) {
      throw launchFailed(`this agent has no images of the type ${type.toUpperCase()} (--image_providers)`);
    }
    const { name, layers, config } = await store.get(image, { signal });
    // In the same turn, so that they are in use before anybody asks; then on disk, before a container has them.
    for (const layer of layers) container.layers.add(layer);
    await records.writeLayers(id, [...container.layers]);
    const backend = this.backendName();
    const { directory } = records.place(id, { backend, id: random.uuid() });
    await mkdir(directory, { recursive: true });
    signal.throwIfAborted();
    try {
      const rootfs = await backends.get(backend)!.create({ layers, directory, signal });
      logger.info({ container: id, image: name, backend }, "made a root file system");
      return { rootfs, config };
    } catch (error) {
      signal.throwIfAborted();
      throw launchFailed(
        `the image '${name}' cannot be made a root file system (${backend}): ${messageOf(error)}`,
        error,
      );
    }
  }

  private async remove(id: string, container: Container): Promise<void> {
    const { records } = this.options;
    // They end soon: whoever destroys a container has told them to stop.
    await Promise.all(container.making);
    for (const place of await records.places(id)) await this.removePlace(place);
    await rm(records.container(id), { recursive: true, force: true });
    this.unreadable.delete(id);
    this.containers.delete(id);
  }

  private async removePlace({ backend, directory }: RootfsPlace): Promise<void> {
    const maker = this.options.backends.get(backend);
    if (maker === undefined) {
      throw new Error(`'${directory}' was made by the backend '${backend}', which is not loaded`);
    }
    await maker.remove(directory);
  }

  private async takeUp(id: string): Promise<Container> {
    let layers: string[] | undefined;
    try {
      layers = await this.options.records.layers(id);
    } catch (error) {
      this.unreadable.add(id);
      this.options.logger.error(
        { err: error, container: id },
        "the layers that a container uses are not known: no image is removed while it exists",
      );
    }
    return { layers: new Set(layers), making: new Set(), destroyed: undefined };
  }
}

/** As the keys of stores: an image without a type is none. */
function typeOf({ type }: Image): string {
  return type === undefined ? "unknown" : (Image_Type[type] ?? "unknown").toLowerCase();
}

const launchFailed = (detail: string, cause?: unknown): TepuiError =>
  new TepuiError("TEPUI_CONTAINER_LAUNCH_FAILED", { detail, cause });
