import { closeSync, fstatSync, readSync } from "node:fs";
import { join, relative } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { ContainerInput, ContainerStreams, OutputChunk } from "../contracts/containerizer.js";
import { TepuiError } from "../errors/index.js";
import { SafeDirectory } from "../safe-files/index.js";

/** How often files are looked at that had nothing new, in milliseconds. */
const LOOK_AGAIN_MS = 200;
const CHUNK_BYTES = 65_536;
const STREAMS = ["stdout", "stderr"] as const;

export interface FileStreamsOptions {
  /** In which the container's output is written to `stdout` and `stderr`. */
  readonly directory: string;
  /** This directory, or one above it: from there on, others may have put links in the way, which are not followed. */
  readonly boundary: string;
  /** Settles when the container has ended: what is in the files by then is all. */
  readonly ended: Promise<unknown>;
}

/** The output of a container that nobody holds the streams of: what comes to be in its files. It has no input. */
export class FileStreams implements ContainerStreams {
  constructor(private readonly options: FileStreamsOptions) {}

  output(signal: AbortSignal): AsyncIterable<OutputChunk> {
    const { directory, boundary, ended } = this.options;
    const followed = STREAMS.map(
      (stream) => new FollowedFile({ boundary, path: relative(boundary, join(directory, stream)) }, stream),
    );
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
 * A file that grows, is cut, or gives way to a new one of its name. Whoever may write its directory, or one above it, must not lead the
 * reader elsewhere: every step from the boundary is taken without following links.
 */
class FollowedFile {
  private readonly boundary: SafeDirectory;
  private readonly path: string;
  private descriptor: number | undefined;
  private inode = 0;
  private position = 0;

  constructor(
    { boundary, path }: { readonly boundary: string; readonly path: string },
    readonly stream: OutputChunk["stream"],
  ) {
    this.boundary = new SafeDirectory(boundary);
    this.path = path;
  }

  /** What is in it by now is not of interest. */
  begin(): void {
    this.position = this.takeUp(this.open());
  }

  /** What is new, up to a bound; undefined when nothing is. */
  read(): Buffer | undefined {
    const data = this.readOpen();
    if (data !== undefined) return data;
    const now = this.open();
    if (now === undefined) return undefined;
    const { ino, size } = fstatSync(now);
    if (ino === this.inode && size >= this.position) {
      closeSync(now);
      return undefined;
    }
    this.position = 0;
    this.takeUp(now);
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

  /** Goes on with an open file, where it is one. Gives its size. */
  private takeUp(descriptor: number | undefined): number {
    this.close();
    if (descriptor === undefined) return 0;
    const stats = fstatSync(descriptor);
    this.inode = stats.ino;
    if (stats.isFile()) this.descriptor = descriptor;
    else closeSync(descriptor);
    return stats.isFile() ? stats.size : 0;
  }

  private open(): number | undefined {
    try {
      return this.boundary.openForReading(this.path);
    } catch {
      // Not there yet, or no file.
      return undefined;
    }
  }
}
