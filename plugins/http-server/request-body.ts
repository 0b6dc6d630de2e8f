import type { IncomingMessage } from "node:http";
import { gunzip } from "node:zlib";
import { messageOf, TepuiError } from "../../sdk/errors/index.js";
import { formatBytes } from "../../sdk/values/index.js";

/** Watches over bodies that are being received, so that none waits forever without a timer for each. */
export class BodyWatch {
  private readonly receiving = new Map<BodyReader, number>();

  add(reader: BodyReader): void {
    this.receiving.set(reader, -1);
  }

  delete(reader: BodyReader): void {
    this.receiving.delete(reader);
  }

  /** Called at an even pace: gives up every body that did not grow since the last call. */
  sweep(): void {
    for (const [reader, seen] of this.receiving) {
      if (reader.received === seen) reader.abandon();
      else this.receiving.set(reader, reader.received);
    }
  }
}

/** Collects the body of one request within a limit. */
export class BodyReader {
  received = 0;
  private chunks: Buffer[] = [];
  private settled = false;

  private constructor(
    private readonly message: IncomingMessage,
    private readonly limit: number,
    private readonly watch: BodyWatch,
    private readonly done: (error: Error | undefined, body: Buffer) => void,
  ) {}

  /** Rejects with TEPUI_BODY_TOO_LARGE, TEPUI_CLIENT_GONE, or TEPUI_CALL_INVALID for a body that is not the gzip it says. */
  static async read(message: IncomingMessage, limit: number, watch: BodyWatch): Promise<Buffer> {
    const body = await new Promise<Buffer>((resolve, reject) => {
      const reader = new BodyReader(message, limit, watch, (error, all) =>
        error === undefined ? resolve(all) : reject(error),
      );
      reader.start();
    });
    return message.headers["content-encoding"] === "gzip" ? decompress(body, limit) : body;
  }

  /** The client stopped sending in the middle of its body. */
  abandon(): void {
    this.finish(new TepuiError("TEPUI_CLIENT_GONE", { detail: "Timed out waiting for the body" }));
    this.message.destroy();
  }

  private start(): void {
    if (Number(this.message.headers["content-length"] ?? 0) > this.limit) {
      this.tooLarge();
      return;
    }
    if (this.message.destroyed) {
      this.finish(new TepuiError("TEPUI_CLIENT_GONE"));
      return;
    }
    this.watch.add(this);
    this.message.on("data", (chunk: Buffer) => this.take(chunk));
    this.message.on("end", () => this.finish(undefined));
    this.message.on("error", this.gone);
    this.message.on("close", this.gone);
  }

  /** After every request comes a "close", whole or not. */
  private readonly gone = (): void => {
    if (!this.settled) this.finish(new TepuiError("TEPUI_CLIENT_GONE"));
  };

  private take(chunk: Buffer): void {
    if (this.settled) return;
    this.received += chunk.length;
    if (this.received > this.limit) {
      this.tooLarge();
      return;
    }
    this.chunks.push(chunk);
  }

  private tooLarge(): void {
    this.finish(tooLarge(this.limit));
  }

  private finish(error: Error | undefined): void {
    if (this.settled) return;
    this.settled = true;
    this.watch.delete(this);
    const chunks = this.chunks;
    this.chunks = [];
    this.done(error, error !== undefined || chunks.length !== 1 ? Buffer.concat(chunks) : chunks[0]!);
  }
}

const tooLarge = (limit: number): TepuiError =>
  new TepuiError("TEPUI_BODY_TOO_LARGE", {
    detail: `The body is larger than the limit of ${formatBytes(limit)}`,
  });

function decompress(body: Buffer, limit: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    gunzip(body, { maxOutputLength: limit }, (error, plain) => {
      if (error === null) return resolve(plain);
      if ("code" in error && error.code === "ERR_BUFFER_TOO_LARGE") return reject(tooLarge(limit));
      const detail = `Failed to decompress the body: ${messageOf(error)}`;
      reject(new TepuiError("TEPUI_CALL_INVALID", { detail, cause: error }));
    });
  });
}
