import { spawn } from "node:child_process";
import { pipeline, type Readable, type Transform } from "node:stream";
import { text } from "node:stream/consumers";
import { pipeline as streamPipeline } from "node:stream/promises";
import * as zlib from "node:zlib";
import { errnoOf, messageOf } from "../../sdk/errors/index.js";
import { invalid } from "./refusals.js";

const GZIP = Buffer.from([0x1f, 0x8b]);
const ZSTD = Buffer.from([0x28, 0xb5, 0x2f, 0xfd]);
/** What Docker also took once. */
const OTHERS: readonly (readonly [string, Buffer])[] = [
  ["bzip2", Buffer.from("BZh")],
  ["xz", Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00])],
];

export type Compression = "none" | "gzip" | "zstd";

/**
 * By the first bytes of a layer: media types are wrong often enough.
 *
 * @throws TepuiError TEPUI_IMAGE_INVALID
 */
export function compressionOf(head: Buffer): Compression {
  const begins = (magic: Buffer): boolean => head.subarray(0, magic.length).equals(magic);
  if (begins(GZIP)) return "gzip";
  if (begins(ZSTD)) return "zstd";
  const other = OTHERS.find(([, magic]) => begins(magic));
  if (other !== undefined)
    throw invalid(`a layer is compressed with ${other[0]}; gzip and zstd are understood`);
  return "none";
}

/** The content of a stream, decompressed. Ending the iteration early ends the source. */
export function decompress(source: Readable, compression: Compression): AsyncIterable<Buffer> {
  if (compression === "none") return source;
  if (compression === "zstd" && createZstd === undefined) return throughZstdProgram(source);
  const stage = compression === "gzip" ? zlib.createGunzip() : createZstd!();
  // An error reaches the reader through the stage, which pipeline destroys with it.
  pipeline(source, stage, () => undefined);
  return readable(stage, compression);
}

/** Node has zstd from 22.15 on; before, a program does it. */
const createZstd = (zlib as { createZstdDecompress?: () => Transform }).createZstdDecompress;

async function* readable(stage: Transform, compression: Compression): AsyncGenerator<Buffer> {
  try {
    yield* stage;
  } catch (error) {
    // The codes of zlib; others are those of the source.
    const damaged = error instanceof Error && "code" in error && /^Z/.test(String(error.code));
    throw damaged ? invalid(`a layer's ${compression} is damaged: ${messageOf(error)}`, error) : error;
  }
}

async function* throughZstdProgram(source: Readable): AsyncGenerator<Buffer> {
  const child = spawn("zstd", ["-dcq"], { stdio: ["pipe", "pipe", "pipe"] });
  const complaint = text(child.stderr).catch(() => "");
  const ended = new Promise<string | undefined>((resolve) => {
    child.once("error", (error) => {
      const missing = errnoOf(error) === "ENOENT";
      resolve(missing ? "the program zstd is missing (apt-get install zstd)" : messageOf(error));
    });
    child.once("close", (code, signal) =>
      resolve(code === 0 ? undefined : `zstd ended with ${code ?? signal}`),
    );
  });
  let broken: unknown;
  const fed = streamPipeline(source, child.stdin).catch((error: unknown) => {
    broken = error;
    // What is missing would look like the end of a damaged file.
    child.kill("SIGKILL");
  });
  try {
    yield* child.stdout;
    const problem = await ended;
    await fed;
    if (source.errored !== null) throw source.errored;
    if (problem === undefined && broken === undefined) return;
    throw invalid(
      `a layer compressed with zstd cannot be read: ${(await complaint).trim() || problem || messageOf(broken)}`,
    );
  } finally {
    child.kill("SIGKILL");
    source.destroy();
  }
}
