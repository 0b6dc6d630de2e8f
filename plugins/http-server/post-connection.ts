import type { Socket } from "node:net";
import type { TurnBudget } from "../../sdk/http/index.js";
import type { AnswerBudget } from "./answer-budget.js";
import type { AnswerHeads } from "./answer-heads.js";
import type { BodyBudget, BodyHolder } from "./body-budget.js";
import type { PostHead, PostHeads } from "./post-head.js";
import { type AnsweredConnection, type Part, PostOutgoing } from "./post-outgoing.js";
import { ReceivingBody } from "./receiving-body.js";
import { peerOf, type RequestSource } from "./request.js";

export interface PostConnectionOptions {
  readonly heads: PostHeads;
  readonly answerHeads: AnswerHeads;
  /** For what all connections bring. */
  readonly budget: TurnBudget;
  readonly bodies: BodyBudget;
  readonly answers: AnswerBudget;
  /** Answers one request. Must not throw. */
  serve(head: PostHead, source: RequestSource, outgoing: PostOutgoing): void;
  /** There are answers to write: `flush` is called at the end of this turn. */
  ready(connection: PostConnection): void;
  /** Takes over a connection on which something other than a plain POST has come: `rest` is what was not used. */
  giveBack(socket: Socket, rest: Buffer): void;
  /** Gone, or given back. Called once. */
  closed(connection: PostConnection): void;
}

/** Requests that may wait for their answers before no more are read; a real Mesos overflows its stack at some 11,000. */
const MAX_PENDING = 128;
const RESUME_AT = MAX_PENDING / 2;
/** Answers that may lie unread by the client before no more requests are read. */
const MAX_UNREAD_BYTES = 1024 * 1024;
/** Longer heads are left to plain HTTP. */
const MAX_HEAD_BYTES = 16 * 1024;

const HEAD_END = Buffer.from("\r\n\r\n");
const BEGINNING = Buffer.from("POST ");
const NOTHING = Buffer.alloc(0);

interface Receiving {
  readonly head: PostHead;
  /** What has come; undefined: nothing. */
  body: ReceivingBody | undefined;
  missing: number;
}

/**
 * A connection on which plain POSTs come, one after the other or many at once: nearly all that schedulers and executors send. It
 * costs a fraction of what `node:http` does, mostly because the answers to all requests of one read leave in one write. Whatever is
 * not in this plain form goes to `node:http`, with the rest of the connection.
 */
export class PostConnection implements AnsweredConnection, BodyHolder {
  /** Set by the server: `flush` is due. */
  dirty = false;
  readonly peer: string;
  /** The beginning of a head. */
  private rest: Buffer = NOTHING;
  private receiving: Receiving | undefined;
  /** Requests whose answers are not all written, oldest first. */
  private readonly pending: PostOutgoing[] = [];
  private out: Part[] = [];
  /** Something else has come; it is given back when all is answered. */
  private foreign: Buffer | undefined;
  /** The client has closed its side. */
  private halfClosed = false;
  private halfClosedSweeps = 0;
  /** What was read waits for its turn; until then nothing more is read. */
  private waits = false;
  private left = false;
  private bytesSeen = -1;
  private idleSweeps = 0;

  constructor(
    private readonly socket: Socket,
    private readonly options: PostConnectionOptions,
  ) {
    this.peer = peerOf(socket);
    socket.on("data", this.read);
    socket.on("end", this.ended);
    socket.on("drain", this.drained);
    socket.on("close", this.closed);
  }

  get gone(): boolean {
    return this.left || this.socket.destroyed;
  }

  get unread(): number {
    return this.socket.writableLength;
  }

  answered(): void {
    if (this.pending[0]?.done === true) this.options.ready(this);
  }

  streamed(): void {
    if (this.pending[0] !== undefined && this.pending[0].parts.length > 0) this.flush();
  }

  cut(): void {
    this.socket.destroy();
  }

  hold(body: Uint8Array): void {
    this.options.answers.hold(this.socket, body);
  }

  /** Writes the answers whose turn has come, in one write. */
  flush(): void {
    this.dirty = false;
    if (this.gone) return;
    let first = this.pending[0];
    while (first !== undefined) {
      for (const part of first.parts) this.out.push(part);
      first.parts = [];
      if (!first.done) break;
      this.pending.shift();
      first = this.pending[0];
    }
    this.write();
    if (this.pending.length === 0) this.allAnswered();
    else this.resume();
  }

  /** Called at an even pace. Ends a connection whose client stopped in the middle of a request, or was idle for `limit` calls. */
  sweep(limit: number): void {
    const still = this.socket.bytesRead === this.bytesSeen;
    this.bytesSeen = this.socket.bytesRead;
    const quiet = still && this.pending.length === 0 && this.socket.writableLength === 0;
    this.idleSweeps = quiet ? this.idleSweeps + 1 : 0;
    if (!still || this.waits) return;
    // One that closed its side may still read; but most that do have left, and nobody hears of it.
    if (this.halfClosed && this.pending.length > 0) this.waitedHalfClosed();
    else if (this.receiving !== undefined) this.socket.destroy();
    // Plain HTTP has its own answer to heads that come too slowly.
    else if (this.rest.length > 0) this.leaveTo(this.rest);
    else if (this.idleSweeps > limit) this.socket.destroySoon();
  }

  private waitedHalfClosed(): void {
    if (this.halfClosedSweeps++ > 1) this.socket.destroy();
  }

  closeIfIdle(): void {
    if (this.pending.length > 0 || this.receiving !== undefined || this.waits) return;
    if (this.rest.length === 0) {
      this.socket.destroySoon();
    }
  }

  /** Cuts it off where nothing of it is being answered; false: something is. */
  makeRoom(): boolean {
    if (this.pending.length > 0 || this.waits) return false;
    this.socket.destroy();
    return true;
  }

  cutOff(): void {
    this.socket.destroy();
  }

  private readonly read = (chunk: Buffer): void => {
    if (this.options.budget.run(() => this.take(chunk))) return;
    this.waits = true;
    this.socket.pause();
  };

  private take(chunk: Buffer): void {
    if (this.waits) {
      this.waits = false;
      if (this.gone) return;
      this.resume();
    }
    if (this.foreign !== undefined) {
      this.foreign = Buffer.concat([this.foreign, chunk]);
      return;
    }
    let data = chunk;
    let at = 0;
    if (this.receiving !== undefined) at = this.receive(this.receiving, data, 0);
    else if (this.rest.length > 0) data = Buffer.concat([this.rest, chunk]);
    this.rest = NOTHING;
    while (at < data.length && !this.socket.destroyed) {
      const end = data.indexOf(HEAD_END, at);
      const head = end < 0 ? undefined : this.options.heads.find(data.toString("latin1", at, end));
      if (head !== undefined) {
        const request = { head, body: undefined, missing: head.length };
        at = this.receive(request, data, end + HEAD_END.length);
      } else if (end < 0 && mayBecomeHead(data, at)) {
        // A copy, because a view would keep the whole read alive.
        this.rest = Buffer.from(data.subarray(at));
        break;
      } else {
        this.leaveTo(data.subarray(at));
        return;
      }
    }
    if (this.mustWait()) this.socket.pause();
  }

  /** Takes what there is of a body; returns where it ends. */
  private receive(request: Receiving, data: Buffer, at: number): number {
    const end = Math.min(data.length, at + request.missing);
    const part = data.subarray(at, end);
    request.missing -= part.length;
    this.receiving = request.missing > 0 ? request : undefined;
    if (this.receiving !== undefined) {
      if (part.length === 0) return end;
      request.body ??= new ReceivingBody(request.head.length);
      request.body.push(part);
      this.options.bodies.note(this, request.body.capacity);
      return end;
    }
    let body = part;
    if (request.body !== undefined) {
      request.body.push(part);
      body = request.body.whole();
      this.options.bodies.release(this);
    }
    const outgoing = new PostOutgoing(this, this.options.answerHeads);
    this.pending.push(outgoing);
    this.options.serve(request.head, new PostRequest(request.head, body, this.peer), outgoing);
    return end;
  }

  private write(): void {
    const { socket, out } = this;
    if (out.length === 0) return;
    this.out = [];
    if (out.every((part) => typeof part === "string")) {
      socket.write(out.length === 1 ? out[0]! : out.join(""), "latin1");
      return;
    }
    socket.cork();
    for (const part of out) {
      if (typeof part === "string") socket.write(part, "latin1");
      else socket.write(part, () => this.options.answers.release(socket, part));
    }
    socket.uncork();
  }

  private allAnswered(): void {
    if (this.foreign !== undefined) this.giveBack(this.foreign);
    else if (this.halfClosed) this.socket.destroySoon();
    else this.resume();
  }

  private mustWait(): boolean {
    return this.pending.length >= MAX_PENDING || this.socket.writableLength > MAX_UNREAD_BYTES;
  }

  private readonly drained = (): void => {
    this.pending[0]?.drained();
    this.resume();
  };

  private resume(): void {
    const { socket } = this;
    if (this.waits || !socket.isPaused() || this.foreign !== undefined) return;
    if (this.pending.length > RESUME_AT) return;
    if (socket.writableLength <= MAX_UNREAD_BYTES) socket.resume();
  }

  private leaveTo(rest: Buffer): void {
    this.rest = NOTHING;
    this.socket.pause();
    if (this.pending.length === 0) this.giveBack(rest);
    else this.foreign = rest;
  }

  private giveBack(rest: Buffer): void {
    this.leave();
    this.options.giveBack(this.socket, rest);
  }

  /** A client that waits for an answer gets it; one that listens to a stream has left. */
  private readonly ended = (): void => {
    this.halfClosed = true;
    if (this.pending.some(({ streaming }) => streaming)) this.socket.destroy();
    else if (this.pending.length === 0) this.socket.destroySoon();
  };

  private readonly closed = (): void => {
    for (const outgoing of this.pending) outgoing.left();
    this.leave();
  };

  private leave(): void {
    this.left = true;
    this.options.bodies.release(this);
    this.socket.removeListener("data", this.read);
    this.socket.removeListener("end", this.ended);
    this.socket.removeListener("drain", this.drained);
    this.socket.removeListener("close", this.closed);
    this.options.closed(this);
  }
}

class PostRequest implements RequestSource {
  readonly method = "POST";

  constructor(
    private readonly head: PostHead,
    readonly received: Buffer,
    readonly peer: string,
  ) {}

  get target(): string {
    return this.head.target;
  }

  get headers(): PostHead["headers"] {
    return this.head.headers;
  }

  body(): Promise<Buffer> {
    return Promise.resolve(this.received);
  }

  async *stream(): AsyncGenerator<Buffer, void> {
    if (this.received.length > 0) yield this.received;
  }
}

/** False when something else than a plain POST begins there, so that it is answered without waiting for the end of its head. */
function mayBecomeHead(data: Buffer, at: number): boolean {
  const have = data.length - at;
  const compared = Math.min(have, BEGINNING.length);
  return have <= MAX_HEAD_BYTES && data.compare(BEGINNING, 0, compared, at, at + compared) === 0;
}
