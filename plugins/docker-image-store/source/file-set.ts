import { createReadStream } from "node:fs";
import { open, stat } from "node:fs/promises";
import { join, posix } from "node:path";
import { errnoOf } from "../../../sdk/errors/index.js";
import { compressionOf, decompress } from "../decompress.js";
import { invalid, notFound } from "../refusals.js";
import { ByteReader } from "../tar/byte-reader.js";
import { shown } from "../tar/entry.js";
import { TarReader } from "../tar/tar-reader.js";

/** A place of a file's bytes. */
export interface FilePart {
  readonly file: string;
  readonly start: number;
  readonly length: number;
}

/** Files by relative path: a directory, or what an archive of one holds. */
export interface FileSet {
  /** For what people read. */
  readonly name: string;
  find(path: string): Promise<FilePart | undefined>;
}

/** A directory of the operator's. */
export class DirectoryFiles implements FileSet {
  constructor(readonly name: string) {}

  async find(path: string): Promise<FilePart | undefined> {
    const file = join(this.name, path);
    try {
      const { size } = await stat(file);
      return { file, start: 0, length: size };
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
  }
}

/** What is in an archive, without unpacking it. */
export class ArchiveFiles implements FileSet {
  private constructor(
    readonly name: string,
    private readonly parts: ReadonlyMap<string, FilePart | { readonly link: string }>,
  ) {}

  /**
   * @param name the archive's own, also where `file` is a decompressed copy
   * @throws TepuiError TEPUI_IMAGE_INVALID for what is no archive
   */
  static async read(file: string, name: string, signal: AbortSignal): Promise<ArchiveFiles> {
    const parts = new Map<string, FilePart | { readonly link: string }>();
    const bytes = new ByteReader(createReadStream(file, { highWaterMark: 1024 * 1024, signal }));
    try {
      const archive = new TarReader(bytes);
      for (let entry = await archive.next(); entry !== undefined; entry = await archive.next()) {
        const path = posix.normalize(shown(entry.path)).replace(/^\/+/, "");
        if (entry.type === "file") parts.set(path, { file, start: archive.position, length: entry.size });
        // `docker save` wrote a layer that occurs twice as a link to the first.
        else if (entry.type === "symlink") {
          parts.set(path, { link: posix.join(posix.dirname(path), shown(entry.target)) });
        } else if (entry.type === "hard-link")
          parts.set(path, { link: posix.normalize(shown(entry.target)) });
      }
    } finally {
      await bytes.close();
    }
    return new ArchiveFiles(name, parts);
  }

  async find(path: string): Promise<FilePart | undefined> {
    const part = this.parts.get(posix.normalize(path));
    if (part === undefined || !("link" in part)) return part;
    // One link is all that anybody writes; a chain may be a circle.
    const target = this.parts.get(part.link);
    return target === undefined || "link" in target ? undefined : target;
  }
}

/** Whether the archive has to be decompressed before single files can be taken from it. */
export async function isCompressed(file: string): Promise<boolean> {
  await using handle = await open(file);
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(8), 0, 8, 0);
  return compressionOf(buffer.subarray(0, bytesRead)) !== "none";
}

/** Writes a decompressed copy, up to a limit. */
export async function decompressFile(
  { from, to }: { readonly from: string; readonly to: string },
  maxBytes: number,
  signal: AbortSignal,
): Promise<void> {
  const source = createReadStream(from, { signal });
  source.on("error", () => undefined);
  await using handle = await open(to, "wx", 0o600);
  const head = Buffer.alloc(8);
  await using original = await open(from);
  await original.read(head, 0, 8, 0);
  let size = 0;
  for await (const chunk of decompress(source, compressionOf(head))) {
    size += chunk.length;
    if (size > maxBytes) throw invalid(`'${from}' is larger than ${maxBytes} bytes when decompressed`);
    await handle.writeFile(chunk);
  }
}

/**
 * The whole of a small file.
 *
 * @throws TepuiError TEPUI_IMAGE_NOT_FOUND, or TEPUI_IMAGE_INVALID when it is too large
 */
export async function readPart(files: FileSet, path: string, limit: number): Promise<Buffer> {
  const part = await files.find(path);
  if (part === undefined) throw notFound(`'${files.name}' has no file '${path}'`);
  if (part.length > limit) throw invalid(`'${path}' of '${files.name}' is larger than ${limit} bytes`);
  await using handle = await open(part.file);
  const data = Buffer.alloc(part.length);
  let read = 0;
  while (read < data.length) {
    const { bytesRead } = await handle.read(data, read, data.length - read, part.start + read);
    if (bytesRead === 0) throw invalid(`'${path}' of '${files.name}' became shorter while it was read`);
    read += bytesRead;
  }
  return data;
}

const isMissing = (error: unknown): boolean => errnoOf(error) === "ENOENT" || errnoOf(error) === "ENOTDIR";
