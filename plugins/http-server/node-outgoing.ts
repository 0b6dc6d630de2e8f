import { type OutgoingHttpHeaders, type ServerResponse, STATUS_CODES } from "node:http";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { ReplyStream } from "../../sdk/contracts/http-server.js";
import type { HttpDate } from "../../sdk/http/index.js";
import type { AnswerBudget } from "./answer-budget.js";
import { inChunks, LAST_CHUNK } from "./chunks.js";
import type { Outgoing } from "./outgoing.js";

/** An answer through `node:http`. */
export class NodeOutgoing implements Outgoing {
  constructor(
    private readonly response: ServerResponse,
    private readonly shared: { readonly date: HttpDate; readonly answers: AnswerBudget },
  ) {
    // Mesos sends no Connection header; without one HTTP/1.1 keeps the connection open all the same.
    response.removeHeader("connection");
    // Writing to a client that has left is no error of ours; the response ends with "close".
    response.on("error", ignore);
  }

  get over(): boolean {
    return this.response.headersSent || this.response.destroyed;
  }

  get streaming(): boolean {
    return this.response.headersSent && !this.response.writableEnded;
  }

  whole(status: number, headers: OutgoingHttpHeaders, body: Uint8Array): void {
    const { response } = this;
    const { date, answers } = this.shared;
    response.writeHead(status, STATUS_CODES[status] ?? "Unknown", {
      Date: date.now(),
      ...headers,
      "Content-Length": body.length,
    });
    // Not the response's own socket: one that stands behind others has none yet.
    const { socket } = response.req;
    response.once("finish", () => answers.release(socket, body));
    response.end(body);
    answers.hold(socket, body);
  }

  whenLeft(left: () => void): void {
    // A client that left before may have had its "close" already.
    if (this.response.destroyed) setImmediate(left);
    else this.response.once("close", left);
  }

  stream(status: number, headers: OutgoingHttpHeaders, closed: () => void): ReplyStream {
    const { response } = this;
    this.whenLeft(closed);
    if (!response.destroyed) {
      response.writeHead(status, headers);
      response.flushHeaders();
    }
    return new NodeStream(response);
  }

  async pipe(status: number, headers: OutgoingHttpHeaders, source: Readable): Promise<void> {
    const { response } = this;
    response.writeHead(status, headers);
    if (response.req.method === "HEAD") {
      source.destroy();
      response.end();
      return;
    }
    const length = Number(headers["Content-Length"]);
    await pipeline(source, (chunks: AsyncIterable<Buffer>) => exactly(length, chunks), response).catch(() =>
      response.destroy(),
    );
  }

  abort(): void {
    this.response.destroy();
  }
}

async function* exactly(length: number, chunks: AsyncIterable<Buffer>): AsyncIterable<Buffer> {
  let left = length;
  for await (const chunk of chunks) {
    left -= chunk.length;
    if (left < 0) break;
    yield chunk;
  }
  if (left !== 0) throw new Error(`the body is not of the ${length} bytes announced`);
}

class NodeStream implements ReplyStream {
  /** The client reads chunks; one of HTTP/1.0 reads until the end. */
  private readonly chunked: boolean;

  constructor(private readonly response: ServerResponse) {
    this.chunked = response.chunkedEncoding;
    // From here on the chunks are framed below: `cork` of a response would merge those of one write into one chunk.
    response.chunkedEncoding = false;
  }

  get over(): boolean {
    return this.response.destroyed || this.response.writableEnded;
  }

  get waiting(): number {
    return this.response.writableLength;
  }

  write(parts: readonly Uint8Array[]): void {
    if (this.over || parts.length === 0) return;
    this.response.write(this.chunked ? inChunks(parts) : Buffer.concat(parts));
  }

  async drained(): Promise<void> {
    const { response } = this;
    if (this.over || !response.writableNeedDrain) return;
    await new Promise<void>((resolve) => {
      const done = (): void => {
        response.off("drain", done);
        response.off("close", done);
        resolve();
      };
      response.on("drain", done);
      response.on("close", done);
    });
  }

  end(): void {
    if (this.over) return;
    if (this.chunked) this.response.write(LAST_CHUNK);
    this.response.end();
  }

  destroy(): void {
    this.response.destroy();
  }
}

const ignore = (): void => undefined;
