import { constants } from "node:fs";
import { type FileHandle, open, readdir, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { makeDirectory } from "../../sdk/files/index.js";

const SEGMENT_NAME = /^\d{20}\.segment$/;

/** The files of one registry: at most one segment is current; older ones and unfinished ones are left-overs of a crash. */
export class SegmentDirectory {
  private current: FileHandle | undefined;
  private length = 0;

  constructor(readonly path: string) {}

  async create(): Promise<void> {
    await makeDirectory(this.path, 0o700);
  }

  async newest(): Promise<{ name: string; content: Buffer } | undefined> {
    const name = (await this.segments()).at(-1);
    return name === undefined ? undefined : { name, content: await readFile(join(this.path, name)) };
  }

  /** Begins a segment that replaces all others. After a crash either it is there whole, or the one before still is. */
  async begin(sequence: bigint, content: Buffer): Promise<void> {
    const name = `${sequence.toString().padStart(20, "0")}.segment`;
    const aside = join(this.path, `${name}.tmp`);
    const handle = await open(aside, "w", 0o600);
    try {
      await writeAll(handle, content, 0);
      await handle.sync();
      await rename(aside, join(this.path, name));
      await this.sync();
    } catch (error) {
      await handle.close();
      throw error;
    }
    await this.current?.close();
    this.current = handle;
    this.length = content.length;
    for (const old of await this.leftovers(name)) await rm(join(this.path, old), { force: true });
  }

  /** Appends to the current segment; resolves when the bytes are on the disk. */
  async append(frame: Buffer): Promise<void> {
    if (this.current === undefined) throw new Error("no segment is open");
    await writeAll(this.current, frame, this.length);
    await this.current.datasync();
    this.length += frame.length;
  }

  async close(): Promise<void> {
    await this.current?.close();
    this.current = undefined;
  }

  private async segments(): Promise<string[]> {
    return (await readdir(this.path)).filter((name) => SEGMENT_NAME.test(name)).sort();
  }

  private async leftovers(current: string): Promise<string[]> {
    const names = await readdir(this.path);
    return names.filter(
      (name) => name.endsWith(".segment.tmp") || (SEGMENT_NAME.test(name) && name < current),
    );
  }

  /** Makes the names in the directory durable. */
  private async sync(): Promise<void> {
    const directory = await open(this.path, constants.O_RDONLY | constants.O_DIRECTORY);
    try {
      await directory.sync();
    } finally {
      await directory.close();
    }
  }
}

async function writeAll(handle: FileHandle, bytes: Buffer, position: number): Promise<void> {
  for (let written = 0; written < bytes.length; ) {
    const { bytesWritten } = await handle.write(bytes, written, bytes.length - written, position + written);
    written += bytesWritten;
  }
}
