import { constants, type Stats } from "node:fs";
import { type FileHandle, lstat, open } from "node:fs/promises";
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
    const begun = Promise.all(followed.map((file) => file.begin()));
    begun.catch(() => undefined);
    return follow(
      begun.then(() => followed),
      { ended, signal },
    );
  }

  async input(): Promise<ContainerInput> {
    throw new TepuiError("TEPUI_CONTAINER_REQUEST_INVALID", {
      detail: "the container was launched without a standard input that can be attached to",
    });
  }
}

async function* follow(
  beginning: Promise<readonly FollowedFile[]>,
  { ended, signal }: { ended: Promise<unknown>; signal: AbortSignal },
): AsyncGenerator<OutputChunk, void> {
  let over = false;
  const end = ended.then(
    () => (over = true),
    () => (over = true),
  );
  const files = await beginning;
  try {
    while (!signal.aborted) {
      const last = over;
      let quiet = true;
      for (const file of files) {
        const data = await file.read();
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
    for (const file of files) await file.close();
  }
}

/** A file that grows, is cut, or gives way to a new one of its name. Whoever may write its directory must not lead the reader elsewhere: links are not followed. */
class FollowedFile {
  private handle: FileHandle | undefined;
  private inode = 0;
  private position = 0;

  constructor(
    private readonly path: string,
    readonly stream: OutputChunk["stream"],
  ) {}

  /** What is in it by now is not of interest. */
  async begin(): Promise<void> {
    const stats = await this.open();
    this.position = stats?.size ?? 0;
  }

  /** What is new, up to a bound; undefined when nothing is. */
  async read(): Promise<Buffer | undefined> {
    const data = await this.readOpen();
    if (data !== undefined) return data;
    const now = await lstat(this.path).catch(() => undefined);
    if (now === undefined) return undefined;
    if (now.ino === this.inode && now.size >= this.position) return undefined;
    this.position = 0;
    if (now.ino !== this.inode) await this.open();
    return this.readOpen();
  }

  async close(): Promise<void> {
    await this.handle?.close();
    this.handle = undefined;
  }

  private async readOpen(): Promise<Buffer | undefined> {
    if (this.handle === undefined) return undefined;
    const { buffer, bytesRead } = await this.handle.read({
      buffer: Buffer.allocUnsafe(CHUNK_BYTES),
      position: this.position,
    });
    if (bytesRead === 0) return undefined;
    this.position += bytesRead;
    return buffer.subarray(0, bytesRead);
  }

  private async open(): Promise<Stats | undefined> {
    await this.close();
    // Not waiting for who writes into a pipe.
    const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
    const handle = await open(this.path, flags).catch(() => undefined);
    const stats = await handle?.stat();
    this.inode = stats?.ino ?? 0;
    if (stats?.isFile() === true) {
      this.handle = handle;
      return stats;
    }
    await handle?.close();
    return undefined;
  }
}
