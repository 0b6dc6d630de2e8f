import type { OutgoingHttpHeaders } from "node:http";
import type { Readable } from "node:stream";
import type { ReplyStream } from "../../sdk/contracts/http-server.js";
import { type AnswerHeads, headOf } from "./answer-heads.js";
import { inChunks, LAST_CHUNK } from "./chunks.js";
import type { Outgoing } from "./outgoing.js";

/** The connection that an answer goes to. */
export interface AnsweredConnection {
  readonly gone: boolean;
  /** Bytes on their way to the client. */
  readonly unread: number;
  /** There is more of an answer to write; it leaves with the other answers of this turn of the event loop. */
  answered(): void;
  /** The same, but it leaves at once. */
  streamed(): void;
  cut(): void;
  /** The body is waiting for the client from now on. */
  hold(body: Uint8Array): void;
}

/** Of a body that is read from elsewhere, this much may wait for the client. */
const PIPED_BYTES = 256 * 1024;

export type Part = string | Uint8Array;

/** The answer to one request of a connection. Its parts wait here until the answers before it are written. */
export class PostOutgoing implements Outgoing {
  /** To be written: heads as text, bodies as bytes. */
  parts: Part[] = [];
  /** Nothing follows. */
  done = false;
  private begun = false;
  /** To be told that nothing more is. */
  private watching: (() => void)[] = [];
  private room: (() => void) | undefined;

  constructor(
    private readonly connection: AnsweredConnection,
    private readonly heads: AnswerHeads,
  ) {}

  get over(): boolean {
    return this.begun || this.connection.gone;
  }

  get streaming(): boolean {
    return this.begun && !this.done;
  }

  /** Bytes that the client has yet to read. */
  get waiting(): number {
    let bytes = this.connection.unread;
    for (const part of this.parts) bytes += part.length;
    return bytes;
  }

  whole(status: number, headers: OutgoingHttpHeaders, body: Uint8Array): void {
    this.begun = true;
    this.done = true;
    this.parts.push(this.heads.whole(status, headers, body.length));
    if (body.length > 0) {
      this.parts.push(body);
      this.connection.hold(body);
    }
    this.connection.answered();
  }

  stream(status: number, headers: OutgoingHttpHeaders, closed: () => void): ReplyStream {
    this.begun = true;
    this.whenLeft(closed);
    if (!this.connection.gone) this.write(headOf(status, { ...headers, "Transfer-Encoding": "chunked" }));
    return new PostStream(this, this.connection);
  }

  whenLeft(left: () => void): void {
    this.watching.push(left);
    if (this.connection.gone) this.left();
  }

  async pipe(status: number, headers: OutgoingHttpHeaders, source: Readable): Promise<void> {
    this.begun = true;
    this.write(headOf(status, headers));
    let left = Number(headers["Content-Length"]);
    try {
      for await (const chunk of source as AsyncIterable<Buffer>) {
        left -= chunk.length;
        if (this.connection.gone || left < 0) break;
        this.write(chunk);
        await this.haveRoom();
      }
    } catch {
      left = -1;
    }
    if (left !== 0) {
      this.abort();
      return;
    }
    this.done = true;
    this.connection.answered();
  }

  /** Resolves once not too much of it waits for the client. */
  async haveRoom(): Promise<void> {
    if (this.done || this.connection.gone || this.waiting <= PIPED_BYTES) return;
    await new Promise<void>((resolve) => {
      this.room = resolve;
    });
  }

  abort(): void {
    this.connection.cut();
  }

  write(part: Part): void {
    this.parts.push(part);
    this.connection.streamed();
  }

  end(): void {
    this.done = true;
    this.write(LAST_CHUNK);
    this.left();
  }

  /** Some of it has been read by the client. */
  drained(): void {
    const { room } = this;
    this.room = undefined;
    room?.();
  }

  /** Nothing more is to be told: the answer is complete, or the client has left. */
  left(): void {
    const { watching } = this;
    this.done = true;
    this.watching = [];
    for (const told of watching) setImmediate(told);
    this.drained();
  }
}

class PostStream implements ReplyStream {
  constructor(
    private readonly outgoing: PostOutgoing,
    private readonly connection: AnsweredConnection,
  ) {}

  get over(): boolean {
    return this.outgoing.done || this.connection.gone;
  }

  get waiting(): number {
    return this.outgoing.waiting;
  }

  write(parts: readonly Uint8Array[]): void {
    if (!this.over && parts.length > 0) this.outgoing.write(inChunks(parts));
  }

  drained(): Promise<void> {
    return this.outgoing.haveRoom();
  }

  end(): void {
    if (!this.over) this.outgoing.end();
  }

  destroy(): void {
    this.connection.cut();
  }
}
