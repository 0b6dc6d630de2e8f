import { BodyBuffer } from "./body-buffer.js";
import { type MessageOrigin, type MessageTarget, parseOrigin, parseRequestLine } from "./message-head.js";

/**
 * What became of the bytes.
 *
 * - `ok`: all are used or kept until more come
 * - `foreign`: at a message border stands something that is no plain message; `rest` has it
 * - `bad`: what came is neither, or breaks a limit
 */
export type ParserState = "ok" | "foreign" | "bad";

export interface ParserLimits {
  readonly maxHeadBytes: number;
  readonly maxBodyBytes: number;
}

/** Receives each message. `body` is valid only during the call. */
export type MessageSink = (target: MessageTarget, from: string | undefined, body: Uint8Array) => void;

/** More different request lines than the daemons' messages have; then the memory starts anew. */
const MAX_TARGETS = 1024;

/** Remembers request lines: every peer sends the same few. Shared by all connections. */
export class TargetCache {
  private readonly targets = new Map<string, MessageTarget>();

  find(line: string): MessageTarget | undefined {
    const known = this.targets.get(line);
    if (known !== undefined) return known;
    const target = parseRequestLine(line);
    if (target === undefined) return undefined;
    if (this.targets.size >= MAX_TARGETS) this.targets.clear();
    this.targets.set(line, target);
    return target;
  }
}

const CR = 0x0d;
const LF = 0x0a;
const SEMICOLON = 0x3b;
const HEAD_END = "\r\n\r\n";
const LAST_CHUNK = Buffer.from("\r\n0\r\n\r\n");
const POST = Buffer.from("POST ");
const NOTHING = Buffer.alloc(0);
/** A chunk's size line: up to 8 hex digits, some room for an extension that nobody sends. */
const MAX_SIZE_LINE = 64;

type Step = "head" | "size" | "data" | "data-end" | "last" | "fixed";

/**
 * Cuts a connection's bytes into messages, wherever the reads are cut. Only the plain form that libprocess and its kin send is
 * understood here, fast; everything else is left to plain HTTP.
 *
 * Most messages cost two look-ups: the request line is one of few, and the header lines of a peer are always the same
 * text, so they are compared with those of its last message instead of being parsed.
 */
export class MessageParser {
  /** Bytes that were not used, in state `foreign`. */
  rest: Buffer = NOTHING;
  private buffer: Buffer = NOTHING;
  private at = 0;
  /** Where the search for the end of the head goes on. */
  private searched = 0;
  private step: Step = "head";
  private target: MessageTarget = { actor: "", name: "" };
  private origin: MessageOrigin = {
    from: undefined,
    framing: { kind: "fixed", length: 0 },
    patient: false,
  };
  /** Header lines of the last message with their empty line, and what they said. */
  private knownLines = "";
  private knownOrigin: MessageOrigin | undefined;
  /** Bytes of the present chunk or body that are still to come. */
  private missing = 0;
  private readonly body = new BodyBuffer();
  private failure: "foreign" | "bad" | undefined;

  constructor(
    private readonly targets: TargetCache,
    private readonly limits: ParserLimits,
    private readonly sink: MessageSink,
  ) {}

  /** True between the first and the last byte of a message. */
  get midMessage(): boolean {
    return this.step !== "head" || this.buffer.length > 0;
  }

  /** The sender of the last message does not wait for answers. */
  get patient(): boolean {
    return this.origin.patient;
  }

  push(chunk: Buffer): ParserState {
    this.buffer = this.buffer.length === 0 ? chunk : Buffer.concat([this.buffer, chunk]);
    this.at = 0;
    while (this.failure === undefined && this.at < this.buffer.length && this.advance());
    if (this.failure === "foreign") this.rest = this.buffer.subarray(this.at);
    // A copy, because a view would keep the whole read alive for a few bytes of each connection.
    const left = this.at < this.buffer.length && this.failure === undefined;
    this.buffer = left ? Buffer.from(this.buffer.subarray(this.at)) : NOTHING;
    this.at = 0;
    return this.failure ?? "ok";
  }

  /** Does one step; false when it needs more bytes. */
  private advance(): boolean {
    switch (this.step) {
      case "head":
        return this.readHead();
      case "size":
        return this.readSize();
      case "data":
        return this.readData("data-end");
      case "fixed":
        return this.readData("head");
      case "data-end":
        return this.readLineEnd("size");
      case "last":
        return this.readLineEnd("head");
    }
  }

  private readHead(): boolean {
    const { buffer, at } = this;
    const lineEnd = buffer.indexOf(CR, at);
    if (lineEnd < 0 || lineEnd + 1 >= buffer.length) {
      return mayBeginMessage(buffer, at) ? this.headIncomplete() : this.fail("foreign");
    }
    if (buffer[lineEnd + 1] !== LF) return this.fail("foreign");
    const target = this.targets.find(buffer.toString("latin1", at, lineEnd));
    if (target === undefined) return this.fail("foreign");
    const linesAt = lineEnd + 2;
    const known = this.knownLines.length;
    if (
      this.knownOrigin !== undefined &&
      buffer.length - linesAt >= known &&
      buffer.toString("latin1", linesAt, linesAt + known) === this.knownLines
    ) {
      return this.headDone(target, this.knownOrigin, linesAt + known);
    }
    return this.readUnknownHead(target, lineEnd);
  }

  private readUnknownHead(target: MessageTarget, lineEnd: number): boolean {
    const { buffer, at } = this;
    const end = buffer.indexOf(HEAD_END, Math.max(lineEnd, at + this.searched));
    if (end < 0) return this.headIncomplete();
    if (end - at > this.limits.maxHeadBytes) return this.fail("bad");
    const lines = buffer.toString("latin1", lineEnd + 2, end + 4);
    const origin = parseOrigin(lines.slice(0, -2));
    if (origin === undefined) return this.fail("foreign");
    if (origin.framing.kind === "chunked") {
      this.knownLines = lines;
      this.knownOrigin = origin;
    }
    return this.headDone(target, origin, end + 4);
  }

  private headIncomplete(): false {
    const have = this.buffer.length - this.at;
    if (have > this.limits.maxHeadBytes) this.failure = "bad";
    this.searched = Math.max(0, have - HEAD_END.length);
    return false;
  }

  private headDone(target: MessageTarget, origin: MessageOrigin, end: number): boolean {
    this.at = end;
    this.searched = 0;
    this.target = target;
    this.origin = origin;
    if (origin.framing.kind === "chunked") {
      this.step = "size";
    } else if (origin.framing.length > this.limits.maxBodyBytes) {
      return this.fail("bad");
    } else if (origin.framing.length === 0) {
      this.finish(NOTHING);
    } else {
      this.missing = origin.framing.length;
      this.step = "fixed";
    }
    return true;
  }

  private readSize(): boolean {
    const { buffer, at } = this;
    let size = 0;
    let i = at;
    for (; i < buffer.length; i++) {
      const digit = hexDigit(buffer[i]!);
      if (digit < 0) break;
      size = size * 16 + digit;
      if (size > this.limits.maxBodyBytes) return this.fail("bad");
    }
    const stop = buffer[i];
    if (stop !== undefined && (i === at || (stop !== CR && stop !== SEMICOLON))) return this.fail("bad");
    const lineEnd = buffer.indexOf(CR, i);
    if (lineEnd < 0 || lineEnd + 1 >= buffer.length) {
      return buffer.length - at > MAX_SIZE_LINE ? this.fail("bad") : false;
    }
    if (buffer[lineEnd + 1] !== LF) return this.fail("bad");
    if (this.body.length + size > this.limits.maxBodyBytes) return this.fail("bad");
    this.at = lineEnd + 2;
    if (size === 0) this.step = "last";
    else this.beginChunk(size);
    return true;
  }

  private beginChunk(size: number): void {
    const end = this.at + size;
    const whole = end + LAST_CHUNK.length <= this.buffer.length && this.body.length === 0;
    if (whole && this.buffer.compare(LAST_CHUNK, 0, LAST_CHUNK.length, end, end + LAST_CHUNK.length) === 0) {
      const body = this.buffer.subarray(this.at, end);
      this.at = end + LAST_CHUNK.length;
      this.finish(body);
      return;
    }
    this.missing = size;
    this.step = "data";
  }

  private readData(next: "data-end" | "head"): boolean {
    const end = Math.min(this.buffer.length, this.at + this.missing);
    const whole = next === "head" && this.body.length === 0 && end - this.at === this.missing;
    const start = this.at;
    this.missing -= end - start;
    this.at = end;
    if (whole) {
      this.finish(this.buffer.subarray(start, end));
      return true;
    }
    this.body.append(this.buffer, start, end);
    if (this.missing > 0) return true;
    if (next === "head") this.finish(this.body.take());
    else this.step = next;
    return true;
  }

  private readLineEnd(next: "size" | "head"): boolean {
    const { buffer, at } = this;
    if (buffer[at] !== CR) return this.fail("bad");
    if (at + 1 >= buffer.length) return false;
    if (buffer[at + 1] !== LF) return this.fail("bad");
    this.at = at + 2;
    if (next === "head") this.finish(this.body.take());
    else this.step = next;
    return true;
  }

  private finish(body: Uint8Array): void {
    this.step = "head";
    this.sink(this.target, this.origin.from, body);
  }

  private fail(how: "foreign" | "bad"): false {
    this.failure = how;
    return false;
  }
}

/** Tells early that something else follows, so that it is answered without waiting for a line's end. */
function mayBeginMessage(buffer: Buffer, at: number): boolean {
  const compared = Math.min(buffer.length - at, POST.length);
  return buffer.compare(POST, 0, compared, at, at + compared) === 0;
}

function hexDigit(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const letter = byte | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1;
}
