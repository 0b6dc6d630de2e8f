import { stat } from "node:fs/promises";
import { join } from "node:path";
import { errnoOf } from "../../../sdk/errors/index.js";
import type { Platform } from "../manifest.js";
import { DEFAULT_TAG, formatReference, type ImageReference } from "../reference.js";
import { invalid, notFound } from "../refusals.js";
import { findInDockerArchive } from "./docker-archive.js";
import { ArchiveFiles, DirectoryFiles, decompressFile, type FileSet, isCompressed } from "./file-set.js";
import type { ImageSource, SourceImage } from "./image-source.js";
import { findInLayout, isOciLayout } from "./oci-layout.js";

export interface DirectorySourceOptions {
  readonly directory: string;
  readonly platform: Platform;
  /** Of an archive, decompressed. */
  readonly maxArchiveBytes: number;
}

/**
 * Images in a directory of this host. The image `a/b:1` is found in
 *
 * - `a/b:1.tar`, as Mesos looks for it: an archive of `docker save` or of an OCI layout, compressed or not
 * - `a/b:1` or `a/b`: an OCI layout
 * - the directory itself, where that is an OCI layout
 */
export class DirectorySource implements ImageSource {
  constructor(private readonly options: DirectorySourceOptions) {}

  async find(
    reference: ImageReference,
    { directory, signal }: { readonly directory: string; readonly signal: AbortSignal },
  ): Promise<SourceImage> {
    const { directory: root, platform } = this.options;
    const names = namesOf(reference);
    for (const name of names) {
      const archive = join(root, `${name}.tar`);
      if ((await kindOf(archive)) !== "file") continue;
      const files = await this.open(archive, directory, signal);
      if (await isOciLayout(files)) return findInLayout(files, reference, platform);
      return findInDockerArchive(files, reference);
    }
    for (const place of [...names, reference.repository, "."]) {
      const files = new DirectoryFiles(join(root, place));
      if (await isOciLayout(files)) return findInLayout(files, reference, platform);
    }
    throw notFound(
      `'${formatReference(reference)}': there is neither an archive '${join(root, `${names[0]}.tar`)}' nor an OCI layout`,
    );
  }

  async close(): Promise<void> {
    // Nothing is kept open.
  }

  private async open(archive: string, directory: string, signal: AbortSignal): Promise<FileSet> {
    if (!(await isCompressed(archive))) return ArchiveFiles.read(archive, archive, signal);
    const copy = join(directory, "archive.tar");
    await decompressFile({ from: archive, to: copy }, this.options.maxArchiveBytes, signal);
    return ArchiveFiles.read(copy, archive, signal);
  }
}

/** As written, and with the tag that is meant. */
function namesOf(reference: ImageReference): string[] {
  const { tag, digest } = reference;
  const written = formatReference(reference);
  if (digest !== undefined) return [written];
  if (tag === undefined) return [written, formatReference({ ...reference, tag: DEFAULT_TAG })];
  if (tag !== DEFAULT_TAG) return [written];
  const { tag: _, ...bare } = reference;
  return [written, formatReference(bare)];
}

async function kindOf(path: string): Promise<"file" | "other" | undefined> {
  try {
    return (await stat(path)).isFile() ? "file" : "other";
  } catch (error) {
    if (errnoOf(error) === "ENOENT" || errnoOf(error) === "ENOTDIR") {
      return undefined;
    }
    throw invalid(`'${path}' cannot be read`, error);
  }
}
