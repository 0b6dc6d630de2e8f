import type { Image } from "../../proto/gen/mesos/v1/mesos.js";
import { extensionPoint } from "../plugin/extension-point.js";
import type { RootFilesystem } from "./contribution.js";

/** How a container of an image is run unless its framework says otherwise: the `config` of the image, complete. */
export interface ImageConfig {
  readonly environment: Readonly<Record<string, string>>;
  readonly entrypoint: readonly string[];
  readonly command: readonly string[];
  readonly workingDirectory: string | undefined;
  readonly user: string | undefined;
  readonly labels: Readonly<Record<string, string>>;
  readonly stopSignal: string | undefined;
}

/** An image on this host. */
export interface StoredImage {
  /** What names it: the reference as given, normalised. */
  readonly name: string;
  /** Unpacked layers in the store, the lowest first; directories that nobody may change. */
  readonly layers: readonly string[];
  readonly config: ImageConfig;
}

/** Keeps images of one type on this host. */
export interface ImageStore {
  /** From the store, or else from where the image comes from. Rejects with TEPUI_IMAGE_* that name the image and the cause. */
  get(image: Image, options: { readonly signal: AbortSignal }): Promise<StoredImage>;
  /** Takes up what an earlier run stored; what was half done goes. Once, before `get`. */
  recover(): Promise<void>;
  /** Removes what is neither named in `keep` nor made of `layersInUse`. */
  prune(options: {
    readonly keep: readonly Image[];
    readonly layersInUse: ReadonlySet<string>;
  }): Promise<void>;
}

/** Keyed by image type: `docker`, `appc`. */
export const ImageStore = extensionPoint<ImageStore, "keyed">("tepui.image-store", {
  version: "1.0",
  cardinality: "keyed",
});

/** Makes root file systems out of layers. */
export interface RootfsBackend {
  /** Why it cannot be used on this host, below this directory; undefined: it can. */
  unusable(directory: string): Promise<string | undefined>;
  /** @param directory of this root file system alone, existing and empty; everything of it goes below. */
  create(options: {
    readonly layers: readonly string[];
    readonly directory: string;
    readonly signal: AbortSignal;
  }): Promise<RootFilesystem>;
  /** Undoes `create`, also one that was cut short. Idempotent. */
  remove(directory: string): Promise<void>;
}

/** Keyed by the name that `--image_provisioner_backend` takes: `overlay`, `copy`, `bind`. */
export const RootfsBackend = extensionPoint<RootfsBackend, "keyed">("tepui.rootfs-backend", {
  version: "1.0",
  cardinality: "keyed",
});

/** An image made ready for one container. */
export interface ProvisionedImage {
  readonly rootfs: RootFilesystem;
  readonly config: ImageConfig;
}

/** From an image's name to a root file system of a container. */
export interface Provisioner {
  /** A container may have several: its own root file system, and volumes that are images. */
  provision(
    containerId: string,
    image: Image,
    options: { readonly signal: AbortSignal },
  ): Promise<ProvisionedImage>;
  /** Removes every root file system of the container. No process of it is left. Idempotent. */
  destroy(containerId: string): Promise<void>;
  /** Removes those of all other containers. Once, before `provision`. */
  recover(containerIds: ReadonlySet<string>): Promise<void>;
  /** Removes images that no container uses. */
  prune(keep: readonly Image[]): Promise<void>;
}

export const Provisioner = extensionPoint<Provisioner, "one">("tepui.provisioner", {
  version: "1.0",
  cardinality: "one",
});
