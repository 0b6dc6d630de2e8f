import type { ImageReference } from "../reference.js";
import type { CredentialTable } from "../registry/docker-config.js";

/** A layer as it is kept where the image comes from, compressed or not. */
export interface SourceLayer {
  /** Digest of the archive, decompressed; absent where the image does not say. */
  readonly diffId: string | undefined;
  /** For what people read. */
  readonly name: string;
  /**
   * Makes the archive readable on this host: a file, or a part of one. What a digest says of it has been checked.
   *
   * @param directory for files that are of use for this layer's unpacking alone; existing
   */
  obtain(directory: string, signal: AbortSignal): Promise<LayerFile>;
}

export interface LayerFile {
  readonly file: string;
  readonly start?: number;
  readonly length?: number;
}

/** An image found, its layers not yet here. */
export interface SourceImage {
  /** Digest of what names the image as a whole: its manifest, or else its configuration. */
  readonly digest: string;
  /** The configuration, as JSON text. */
  readonly config: Buffer;
  /** The lowest first. */
  readonly layers: readonly SourceLayer[];
}

/** Where images come from. */
export interface ImageSource {
  /**
   * Rejects with TEPUI_IMAGE_* naming the image.
   *
   * @param options.directory for files that are of use for this pull alone; existing
   * @param options.credentials those of the image itself; they win over the agent's
   */
  find(
    reference: ImageReference,
    options: {
      readonly directory: string;
      readonly credentials: CredentialTable;
      readonly signal: AbortSignal;
    },
  ): Promise<SourceImage>;
  close(): Promise<void>;
}

/** A configuration is text that people write. */
export const MAX_CONFIG_BYTES = 8 * 1024 * 1024;
