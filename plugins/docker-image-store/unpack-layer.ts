import { type ChildProcess, spawn } from "node:child_process";
import { createHash, type Hash } from "node:crypto";
import { once } from "node:events";
import { createReadStream } from "node:fs";
import { open } from "node:fs/promises";
import { text } from "node:stream/consumers";
import { messageOf } from "../../sdk/errors/index.js";
import { compressionOf, decompress } from "./decompress.js";
import { invalid, pullFailed } from "./refusals.js";
import { ByteReader } from "./tar/byte-reader.js";
import { LayerRewriter } from "./tar/layer-rewriter.js";
import { TarReader } from "./tar/tar-reader.js";
import { END, formatEntry, formatPadding } from "./tar/tar-writer.js";

/** GNU tar, because it unpacks extended attributes. Names are bytes to it (`LC_ALL=C`), and owners numbers. */
const TAR = [
  "--extract",
  "--file=-",
  "--numeric-owner",
  "--same-owner",
  "--preserve-permissions",
  "--delay-directory-restore",
  "--xattrs",
  "--xattrs-include=*",
  "--warning=no-timestamp",
] as const;
const MAGIC_BYTES = 8;

export interface UnpackOptions {
  /** A file, or a part of one, that holds the archive, compressed or not. */
  readonly file: string;
  readonly start?: number | undefined;
  readonly length?: number | undefined;
  /** Empty. */
  readonly directory: string;
  /** Of the archive, decompressed: more is refused. */
  readonly maxBytes: number;
  readonly signal: AbortSignal;
}

/**
 * Unpacks a layer into a directory in overlayfs's form. The archive comes from a stranger and the agent is root: what tar reads
 * is not the archive but what `LayerRewriter` made of each of its entries.
 *
 * @returns the digest of the archive, decompressed, which names the layer
 * @throws TepuiError TEPUI_IMAGE_INVALID for what is wrong with the archive, TEPUI_IMAGE_PULL_FAILED for anything else
 */
export async function unpackLayer(options: UnpackOptions): Promise<string> {
  const { file, start = 0, length, directory, signal } = options;
  const compression = compressionOf(await firstBytes(file, start));
  const end = length === undefined ? Number.POSITIVE_INFINITY : start + length - 1;
  const source = createReadStream(file, { start, end, highWaterMark: 256 * 1024, signal });
  // Also where nobody iterates any more.
  source.on("error", () => undefined);
  const hash = createHash("sha256");
  const bytes = new ByteReader(measured(decompress(source, compression), { hash, limit: options.maxBytes }));
  const tar = new Tar(directory, signal);
  try {
    await feed(new TarReader(bytes), tar);
    // What is behind the end of the archive counts for its digest.
    await bytes.drain();
    await tar.end();
    return `sha256:${hash.digest("hex")}`;
  } catch (error) {
    await tar.abandon();
    signal.throwIfAborted();
    throw error;
  } finally {
    await bytes.close();
    source.destroy();
  }
}

async function firstBytes(file: string, start: number): Promise<Buffer> {
  await using handle = await open(file);
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(MAGIC_BYTES), 0, MAGIC_BYTES, start);
  return buffer.subarray(0, bytesRead);
}

async function feed(archive: TarReader, tar: Tar): Promise<void> {
  const rewriter = new LayerRewriter();
  for (let entry = await archive.next(); entry !== undefined; entry = await archive.next()) {
    const entries = rewriter.rewrite(entry);
    for (const rewritten of entries) await tar.write(formatEntry(rewritten));
    if (entries.at(-1)?.type !== "file") continue;
    for (let part = await archive.content(); part !== undefined; part = await archive.content()) {
      await tar.write(part);
    }
    await tar.write(formatPadding(entry.size));
  }
  for (const entry of rewriter.finish()) await tar.write(formatEntry(entry));
  await tar.write(END);
}

async function* measured(
  source: AsyncIterable<Buffer>,
  { hash, limit }: { readonly hash: Hash; readonly limit: number },
): AsyncGenerator<Buffer> {
  let size = 0;
  for await (const chunk of source) {
    size += chunk.length;
    if (size > limit) throw invalid(`a layer is larger than ${limit} bytes when unpacked`);
    hash.update(chunk);
    yield chunk;
  }
}

/** The program, at work. */
class Tar {
  private readonly child: ChildProcess;
  private readonly complaint: Promise<string>;
  /** Settles when the program has ended: undefined, or how it failed. */
  private readonly ended: Promise<string | undefined>;
  private hasEnded = false;
  /** Small pieces together: most files are small, and each write is a call of the system. */
  private pending: Buffer[] = [];
  private pendingBytes = 0;

  constructor(directory: string, signal: AbortSignal) {
    const environment = { PATH: process.env.PATH, LC_ALL: "C" };
    this.child = spawn("tar", [...TAR, `--directory=${directory}`], {
      stdio: ["pipe", "ignore", "pipe"],
      env: environment,
    });
    const kill = (): boolean => this.child.kill("SIGKILL");
    signal.addEventListener("abort", kill);
    this.complaint = text(this.child.stderr!).catch(() => "");
    this.ended = new Promise((resolve) => {
      let problem: string | undefined;
      this.child.once("error", (error) => {
        problem = messageOf(error);
      });
      // Only now it writes no more.
      this.child.once("close", (code, killed) => {
        this.hasEnded = true;
        signal.removeEventListener("abort", kill);
        resolve(problem ?? (code === 0 ? undefined : `${code ?? killed}`));
      });
    });
    // Told by how the program ends.
    this.child.stdin!.on("error", () => undefined);
  }

  async write(data: Buffer): Promise<void> {
    this.pending.push(data);
    this.pendingBytes += data.length;
    if (this.pendingBytes >= 64 * 1024) await this.flush();
  }

  /** The archive is complete: resolves when all of it is unpacked. */
  async end(): Promise<void> {
    await this.flush();
    this.child.stdin!.end();
    const problem = await this.ended;
    const complaint = (await this.complaint).trim();
    if (problem !== undefined) throw this.failed(problem, complaint);
    // Attributes that cannot be set are no error to tar, but without this one files come back that were removed.
    if (complaint.includes("trusted.overlay.opaque")) throw this.failed("0", complaint);
  }

  /** Resolves when the program has ended, whatever it had done. */
  async abandon(): Promise<void> {
    if (!this.hasEnded) this.child.kill("SIGKILL");
    await this.ended;
  }

  private async flush(): Promise<void> {
    const data = Buffer.concat(this.pending, this.pendingBytes);
    this.pending = [];
    this.pendingBytes = 0;
    if (data.length > 0 && !this.child.stdin!.write(data) && !this.hasEnded) {
      await Promise.race([once(this.child.stdin!, "drain").catch(() => undefined), this.ended]);
    }
    if (this.hasEnded) {
      throw this.failed((await this.ended) ?? "too early", (await this.complaint).trim());
    }
  }

  private failed(status: string, complaint: string): Error {
    const detail = complaint.split("\n").slice(0, 3).join("; ") || `tar ended with ${status}`;
    return pullFailed(`a layer cannot be unpacked: ${detail}`);
  }
}
