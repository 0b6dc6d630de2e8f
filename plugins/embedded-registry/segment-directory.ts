import { constants } from "node:fs";
import { type FileHandle, open, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { errnoOf, messageOf, TepuiError } from "../../sdk/errors/index.js";
import { makeDirectory } from "../../sdk/files/index.js";
import { type ReadSegment, readSegment } from "./segment.js";

const SEGMENT_NAME = /^\d{20}\.segment$/;

/**
 * Holds the name of the newest segment. If that segment and all later ones are missing, the directory is an incomplete copy. It must not
 * pass for a new registry, or for an earlier state of this one.
 */
const MARK = "newest";

/** A wrong guess about the registry would cost agents. */
const WHAT_TO_DO =
  "restore a backup (tepui restore), or move the directory away to begin without memory of the agents; nothing was changed";

/**
 * The files of one registry. Only the newest segment counts. The previous one is kept until the next one begins, so that somebody who
 * copies the directory file by file while it is in use gets at least one of them. Unfinished files are leftovers of a crash.
 */
export class SegmentDirectory {
  private current: FileHandle | undefined;
  private length = 0;

  constructor(readonly path: string) {}

  async create(): Promise<void> {
    await makeDirectory(this.path, 0o700);
  }

  /** Undefined: the registry is new. Rejects with an Error when a segment existed once but is gone. */
  async newest(): Promise<{ name: string; content: Buffer } | undefined> {
    const name = segmentsOf(await readdir(this.path)).at(-1);
    const mark = await this.mark();
    if (mark !== undefined && (name === undefined || name < mark)) {
      throw new Error(
        `its newest file${mark === "" ? "" : `, ${mark} or a later one,`} is missing; ${WHAT_TO_DO}`,
      );
    }
    return name === undefined ? undefined : { name, content: await readFile(join(this.path, name)) };
  }

  /** Begins a segment that replaces all others. After a crash, either the whole new segment exists or the previous one still does. */
  async begin(sequence: bigint, content: Buffer): Promise<void> {
    const name = segmentName(sequence);
    const aside = join(this.path, `${name}.tmp`);
    const handle = await open(aside, "w", 0o600);
    try {
      await writeAll(handle, content, 0);
      await handle.sync();
      await rename(aside, join(this.path, name));
      await this.sync();
      // In this order: after a crash the mark may be older than the segment, but never newer.
      await this.writeMark(name);
    } catch (error) {
      await handle.close();
      throw error;
    }
    await this.current?.close();
    this.current = handle;
    this.length = content.length;
    for (const old of await this.leftovers(name)) await rm(join(this.path, old), { force: true });
  }

  /** Appends to the current segment; resolves once the bytes are on disk. */
  async append(frame: Buffer): Promise<void> {
    if (this.current === undefined) throw new Error("no segment is open");
    await writeAll(this.current, frame, this.length);
    await this.current.datasync();
    // Somebody may have deleted the file: the write would vanish with this process, so it must not be acknowledged.
    if ((await this.current.stat()).nlink === 0) throw new Error("its file has been removed");
    this.length += frame.length;
  }

  async close(): Promise<void> {
    await this.current?.close();
    this.current = undefined;
  }

  /** Undefined: there is no mark. Empty: its write was cut short, or it was copied in the middle of a write. */
  private async mark(): Promise<string | undefined> {
    try {
      const text = await readFile(join(this.path, MARK), "utf8");
      return SEGMENT_NAME.test(text) ? text : "";
    } catch (error) {
      if (errnoOf(error) === "ENOENT") return undefined;
      throw error;
    }
  }

  /** Replaces the mark atomically, so that a copy of the directory made meanwhile has the old or the new one. */
  private async writeMark(name: string): Promise<void> {
    const aside = join(this.path, `${MARK}.tmp`);
    await writeFile(aside, name, { mode: 0o600 });
    await rename(aside, join(this.path, MARK));
  }

  private async leftovers(current: string): Promise<string[]> {
    const names = await readdir(this.path);
    const older = segmentsOf(names).filter((name) => name < current);
    return [...names.filter((name) => name.endsWith(".segment.tmp")), ...older.slice(0, -1)];
  }

  /** Syncs the directory itself, so that new names are durable. */
  private async sync(): Promise<void> {
    const directory = await open(this.path, constants.O_RDONLY | constants.O_DIRECTORY);
    try {
      await directory.sync();
    } finally {
      await directory.close();
    }
  }
}

/** Name of the segment file whose first commit has this sequence number. */
const segmentName = (sequence: bigint): string => `${sequence.toString().padStart(20, "0")}.segment`;

const segmentsOf = (names: readonly string[]): string[] =>
  names.filter((name) => SEGMENT_NAME.test(name)).sort();

/** Parses a segment file. Throws TEPUI_REGISTRY_UNREADABLE, which says what is wrong and where. */
export function readNamed(path: string, content: Buffer): ReadSegment {
  try {
    const read = readSegment(content);
    const name = segmentName(read.first);
    if (basename(path) !== name) throw new Error(`it is the segment ${name} under another name`);
    return read;
  } catch (error) {
    const detail = `${path}: ${messageOf(error)}; ${WHAT_TO_DO}`;
    throw new TepuiError("TEPUI_REGISTRY_UNREADABLE", { detail, cause: error });
  }
}

async function writeAll(handle: FileHandle, bytes: Buffer, position: number): Promise<void> {
  for (let written = 0; written < bytes.length; ) {
    const { bytesWritten } = await handle.write(bytes, written, bytes.length - written, position + written);
    written += bytesWritten;
  }
}
