import { closeSync, constants, fstatSync, lstatSync, openSync, readSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import type { ContainerInput, ContainerStreams, OutputChunk } from "../contracts/containerizer.js";
import { TepuiError } from "../errors/index.js";

/** How often files are looked at that had nothing new, in milliseconds. */
const LOOK_AGAIN_MS = 200;
const CHUNK_BYTES = 65_536;

export interface FileStreamsOptions {
  /** What the container's output is written to. */
  readonly stdout: string;
  readonly stderr: string;
  /** Settles when the container has ended: what is in the files by then is all. */
  readonly ended: Promise<unknown>;
}

/** The output of a container that nobody holds the streams of: what comes to be in its files. It has no input. */
export class FileStreams implements ContainerStreams {
  constructor(private readonly options: FileStreamsOptions) {}

  output(signal: AbortSignal): AsyncIterable<OutputChunk> {
    const { stdout, stderr, ended } = this.options;
    const followed = [new FollowedFile(stdout, "stdout"), new FollowedFile(stderr, "stderr")];
    // At once, and not with the first read: what is written from now on counts.
    for (const file of followed) file.begin();
    return follow(followed, { ended, signal });
  }

  async input(): Promise<ContainerInput> {
    throw new TepuiError("TEPUI_CONTAINER_REQUEST_INVALID", {
      detail: "the container was launched without a standard input that can be attached to",
    });
  }
}

async function* follow(
  files: readonly FollowedFile[],
  { ended, signal }: { ended: Promise<unknown>; signal: AbortSignal },
): AsyncGenerator<OutputChunk, void> {
  let over = false;
  const end = ended.then(
    () => (over = true),
    () => (over = true),
  );
  try {
    while (!signal.aborted) {
      const last = over;
      let quiet = true;
      for (const file of files) {
        const data = file.read();
        if (data === undefined) continue;
        quiet = false;
        yield { stream: file.stream, data };
      }
      if (!quiet) continue;
      if (last) return;
      const waited = sleep(LOOK_AGAIN_MS, undefined, { signal }).catch(() => undefined);
      await (over ? undefined : Promise.race([end, waited]));
    }
  } finally {
    for (const file of files) file.close();
  }
}

/**
 * A file that grows, is cut, or gives way to a new one of its name. Whoever may write its directory must not lead the reader elsewhere:
 * links are not followed.
 */
class FollowedFile {
  private descriptor: number | undefined;
  private inode = 0;
  private position = 0;

  constructor(
    private readonly path: string,
    readonly stream: OutputChunk["stream"],
  ) {}

  /** What is in it by now is not of interest. */
  begin(): void {
    this.position = this.open();
  }

  /** What is new, up to a bound; undefined when nothing is. */
  read(): Buffer | undefined {
    const data = this.readOpen();
    if (data !== undefined) return data;
    const now = lstatSync(this.path, { throwIfNoEntry: false });
    if (now === undefined || (now.ino === this.inode && now.size >= this.position)) return undefined;
    this.position = 0;
    if (now.ino !== this.inode) this.open();
    return this.readOpen();
  }

  close(): void {
    if (this.descriptor !== undefined) closeSync(this.descriptor);
    this.descriptor = undefined;
  }

  private readOpen(): Buffer | undefined {
    if (this.descriptor === undefined) return undefined;
    const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
    const count = readSync(this.descriptor, chunk, 0, CHUNK_BYTES, this.position);
    if (count === 0) return undefined;
    this.position += count;
    return chunk.subarray(0, count);
  }

  /** Gives its size. */
  private open(): number {
    this.close();
    let descriptor: number;
    try {
      // Not waiting for who writes into a pipe.
      descriptor = openSync(this.path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    } catch {
      // Not there yet, or no file.
      return 0;
    }
    const stats = fstatSync(descriptor);
    this.inode = stats.ino;
    if (stats.isFile()) this.descriptor = descriptor;
    else closeSync(descriptor);
    return stats.isFile() ? stats.size : 0;
  }
}
