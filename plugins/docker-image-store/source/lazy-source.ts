import type { Clock } from "../../../sdk/contracts/clock.js";
import type { Random } from "../../../sdk/contracts/random.js";
import type { Platform } from "../manifest.js";
import type { ImageReference } from "../reference.js";
import type { CredentialTable } from "../registry/docker-config.js";
import { undiciRequests } from "../registry/http.js";
import { DirectorySource } from "./directory-source.js";
import type { ImageSource, SourceImage } from "./image-source.js";
import { RegistrySource } from "./registry-source.js";
import type { SourcePlace } from "./source-of.js";

export interface LazySourceOptions {
  readonly place: SourcePlace;
  /** Of the agent, by registry. */
  readonly credentials: CredentialTable;
  readonly platform: Platform;
  /** Of one layer, and of an archive. */
  readonly maxLayerBytes: number;
  /** Milliseconds without a byte after which a registry is asked again. */
  readonly stallTimeout: number;
  readonly clock: Clock;
  readonly random: Random;
}

/** Where `--docker_registry` says that images come from; opened for the first image: most agents never pull one. */
export class LazySource implements ImageSource {
  private opened: Promise<ImageSource> | undefined;

  constructor(private readonly options: LazySourceOptions) {}

  async find(reference: ImageReference, options: Parameters<ImageSource["find"]>[1]): Promise<SourceImage> {
    this.opened ??= this.open();
    return (await this.opened).find(reference, options);
  }

  async close(): Promise<void> {
    await (await this.opened)?.close();
  }

  private async open(): Promise<ImageSource> {
    const { place, platform, maxLayerBytes, stallTimeout, ...rest } = this.options;
    if (place.kind === "directory") {
      return new DirectorySource({ directory: place.path, platform, maxArchiveBytes: maxLayerBytes });
    }
    const { request, close } = await undiciRequests(stallTimeout);
    return new RegistrySource({
      defaultRegistry: place.url,
      platform,
      maxLayerBytes,
      request,
      close,
      ...rest,
    });
  }
}
