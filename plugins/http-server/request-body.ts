import type { IncomingMessage } from "node:http";
import { gunzip } from "node:zlib";
import { errnoOf, messageOf, TepuiError } from "../../sdk/errors/index.js";
import { formatBytes } from "../../sdk/values/index.js";
import type { BodyBudget, BodyHolder } from "./body-budget.js";
import { ReceivingBody } from "./receiving-body.js";

export interface BodyLimits {
  readonly maxBodyBytes: number;
  readonly watch: BodyWatch;
  /** Of all bodies that are coming in. */
  readonly budget: BodyBudget;
}

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
export class BodyReader implements BodyHolder {
  received = 0;
  private body: ReceivingBody | undefined;
  private settled = false;

  private constructor(
    private readonly message: IncomingMessage,
    readonly peer: string,
    private readonly limits: BodyLimits,
    private readonly done: (error: Error | undefined, body: Buffer) => void,
  ) {}

  /** Rejects with TEPUI_BODY_TOO_LARGE, TEPUI_CLIENT_GONE, or TEPUI_CALL_INVALID for a body that is not the gzip it says. */
  static async read(message: IncomingMessage, peer: string, limits: BodyLimits): Promise<Buffer> {
    const body = await new Promise<Buffer>((resolve, reject) => {
      const reader = new BodyReader(message, peer, limits, (error, all) =>
        error === undefined ? resolve(all) : reject(error),
      );
      reader.start();
    });
    return message.headers["content-encoding"] === "gzip" ? decompress(body, limits.maxBodyBytes) : body;
  }

  cutOff(): void {
    this.finish(new TepuiError("TEPUI_CLIENT_GONE", { detail: "Too much is coming in" }));
    this.message.destroy();
  }

  /** The client stopped sending in the middle of its body. */
  abandon(): void {
    this.finish(new TepuiError("TEPUI_CLIENT_GONE", { detail: "Timed out waiting for the body" }));
    this.message.destroy();
  }

  private start(): void {
    if (Number(this.message.headers["content-length"] ?? 0) > this.limits.maxBodyBytes) {
      this.tooLarge();
      return;
    }
    if (this.message.destroyed) {
      this.finish(new TepuiError("TEPUI_CLIENT_GONE"));
      return;
    }
    this.limits.watch.add(this);
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
    if (this.received > this.limits.maxBodyBytes) {
      this.tooLarge();
      return;
    }
    this.body ??= new ReceivingBody(this.limits.maxBodyBytes);
    this.body.push(chunk);
    this.limits.budget.note(this, this.body.capacity);
  }

  private tooLarge(): void {
    this.finish(tooLarge(this.limits.maxBodyBytes));
  }

  private finish(error: Error | undefined): void {
    if (this.settled) return;
    this.settled = true;
    this.limits.watch.delete(this);
    this.limits.budget.release(this);
    const { body } = this;
    this.body = undefined;
    this.done(error, error !== undefined || body === undefined ? NOTHING : body.whole());
  }
}

const NOTHING = Buffer.alloc(0);

const tooLarge = (limit: number): TepuiError =>
  new TepuiError("TEPUI_BODY_TOO_LARGE", {
    detail: `The body is larger than the limit of ${formatBytes(limit)}`,
  });

function decompress(body: Buffer, limit: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    gunzip(body, { maxOutputLength: limit }, (error, plain) => {
      if (error === null) return resolve(plain);
      if (errnoOf(error) === "ERR_BUFFER_TOO_LARGE") return reject(tooLarge(limit));
      const detail = `Failed to decompress the body: ${messageOf(error)}`;
      reject(new TepuiError("TEPUI_CALL_INVALID", { detail, cause: error }));
    });
  });
}
