import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { hostPlatform } from "../../../plugins/docker-image-store/platform.js";
import type { CredentialTable } from "../../../plugins/docker-image-store/registry/docker-config.js";
import { LazySource } from "../../../plugins/docker-image-store/source/lazy-source.js";
import { sourcePlace } from "../../../plugins/docker-image-store/source/source-of.js";
import { DockerImageStore } from "../../../plugins/docker-image-store/store/docker-image-store.js";
import { ImageCredentials } from "../../../plugins/docker-image-store/store/image-credentials.js";
import { StorePaths } from "../../../plugins/docker-image-store/store/paths.js";
import { type Image, type Image_Docker, Image_Type } from "../../../proto/gen/mesos/v1/mesos.js";
import type { StoredImage } from "../../../sdk/contracts/image.js";
import { MetricsRegistry } from "../../../sdk/contracts/metrics-registry.js";
import type { SecretResolver } from "../../../sdk/contracts/secret-resolver.js";
import { SystemClock } from "../../../sdk/contracts/system-clock.js";
import { SystemRandom } from "../../../sdk/contracts/system-random.js";
import { MemoryLogger } from "../../../sdk/testing/memory-logger.js";

export interface OpenOptions {
  /** Value of `--docker_registry`. */
  readonly registry: string;
  readonly credentials?: CredentialTable;
  readonly resolver?: SecretResolver;
  readonly maxLayerBytes?: number;
}

/** Stores in a directory of their own. */
export class StoreBench {
  readonly logger = new MemoryLogger();
  readonly metrics = new MetricsRegistry(new SystemClock());
  private readonly sources: LazySource[] = [];

  private constructor(readonly directory: string) {}

  static async create(): Promise<StoreBench> {
    return new StoreBench(await mkdtemp(join(tmpdir(), "tepui-store-")));
  }

  /** One that is there. */
  static at(directory: string): StoreBench {
    return new StoreBench(directory);
  }

  readonly paths = (): StorePaths => new StorePaths(join(this.directory, "store"));

  /** As an agent that starts: the same store again. */
  async open(options: OpenOptions): Promise<DockerImageStore> {
    const store = this.make(options);
    await store.recover();
    return store;
  }

  /** One that has not looked yet at what is there. */
  make(options: OpenOptions): DockerImageStore {
    const place = sourcePlace(options.registry);
    const source = new LazySource({
      place,
      credentials: options.credentials ?? new Map(),
      platform: hostPlatform(),
      maxLayerBytes: options.maxLayerBytes ?? 1e9,
      stallTimeout: 5000,
      clock: new SystemClock(),
      random: new SystemRandom(),
    });
    this.sources.push(source);
    return new DockerImageStore({
      paths: this.paths(),
      source,
      credentials: new ImageCredentials(options.resolver, place.kind === "registry" ? place.url : undefined),
      maxLayerBytes: options.maxLayerBytes ?? 1e9,
      pullTimer: this.metrics.timer("pull"),
      random: new SystemRandom(),
      logger: this.logger,
    });
  }

  async close(): Promise<void> {
    for (const source of this.sources) await source.close();
    await rm(this.directory, { recursive: true, force: true });
  }
}

export interface Asked {
  readonly cached?: boolean;
  /** Credentials of the image's own. */
  readonly docker?: Pick<Image_Docker, "config" | "credential">;
}

export const docker = (name: string, { cached, docker: own }: Asked = {}): Image => ({
  type: Image_Type.DOCKER,
  docker: { name, ...own },
  ...(cached !== undefined && { cached }),
});

const never = new AbortController().signal;

/** How `get` ends: the image, or code and text of the error. */
export async function outcome(store: DockerImageStore, image: Image): Promise<StoredImage | string> {
  return store
    .get(image, { signal: never })
    .catch((error: Error & { code?: string }) => `${error.code}: ${error.message}`);
}

export const get = (store: DockerImageStore, name: string, asked: Asked = {}): Promise<StoredImage> =>
  store.get(docker(name, asked), { signal: never });
