import type { Socket } from "node:net";
import type { TurnBudget } from "../../sdk/http/turn-budget.js";
import { MessageParser, type ParserLimits, type TargetCache } from "./message-parser.js";
import type { Responses } from "./responses.js";

/** The status line's end and the body. */
export interface Refusal {
  readonly status: string;
  readonly body: string;
}

/** Undefined: accepted. A promise: accepted, and nothing more is to be read from there until it settles. */
export type Verdict = Refusal | Promise<void> | undefined;

export interface InboundOptions {
  readonly targets: TargetCache;
  readonly limits: ParserLimits;
  readonly responses: Responses;
  readonly budget: TurnBudget;
  /** Hands a message to its actor. */
  deliver(message: {
    readonly actor: string;
    readonly name: string;
    readonly from: string | undefined;
    readonly body: Uint8Array;
    /** Costs a call of the system, so it is asked for only where there is something to say. */
    peer(): string;
  }): Verdict;
  /** The connection sent what is neither a message nor HTTP, or is too large. */
  garbage(peer: string): void;
  closed(connection: InboundConnection): void;
  /** The connection has answers to write, and its peer does not wait for them: `answer` is called in a while. */
  owes(connection: InboundConnection): void;
}

/** Answers that may be owed: as many as one buffer holds. */
const MAX_OWED = 64;

/** Answers that may lie unread by the peer before nothing more is read from it. */
const MAX_UNREAD_BYTES = 256 * 1024;

/**
 * After so long without a word the system asks whether the peer still has its end, in milliseconds. One that gave the connection up while it
 * was out of reach could not say so, and nothing is ever sent from here that would find it out.
 */
const STILL_THERE_MS = 60_000;

/** A connection on which a peer sends messages. */
export class InboundConnection {
  private readonly parser: MessageParser;
  private accepted = 0;
  /** The peer is known not to wait for answers. */
  private unhurried = false;
  private owing = false;
  private bytesSeen = -1;
  private left = false;
  /** What was read waits for its turn; until then nothing more is read. */
  private waits = false;
  /** Receivers that ask for nothing more. */
  private holds = 0;

  constructor(
    private readonly socket: Socket,
    private readonly options: InboundOptions,
    private readonly giveBack: (rest: Buffer) => void,
  ) {
    this.parser = new MessageParser(options.targets, options.limits, (target, from, body) => {
      const verdict = options.deliver({
        actor: target.actor,
        name: target.name,
        from,
        body,
        peer: this.peer,
      });
      if (verdict !== undefined && !(verdict instanceof Promise)) {
        this.refuse(verdict);
        return;
      }
      this.accepted++;
      if (verdict !== undefined) this.hold(verdict);
    });
    socket.setKeepAlive(true, STILL_THERE_MS);
    socket.on("data", this.read);
    socket.on("end", this.ended);
    socket.on("drain", this.drained);
    socket.on("close", this.closed);
  }

  /** Begins with bytes that were read already. */
  start(head: Buffer): void {
    this.read(head);
    if (!this.left) this.resume();
  }

  /** Called at an even pace: ends a connection that stands still in the middle of a message. */
  sweep(): void {
    const still = this.parser.midMessage && this.socket.bytesRead === this.bytesSeen;
    if (still && !this.waits && this.holds === 0) this.socket.destroy();
    this.bytesSeen = this.socket.bytesRead;
  }

  close(): void {
    this.answer();
    this.socket.destroySoon();
  }

  private readonly peer = (): string => this.socket.remoteAddress ?? "unknown";

  private readonly read = (chunk: Buffer): void => {
    if (this.options.budget.run(() => this.handle(chunk))) return;
    this.waits = true;
    this.socket.pause();
  };

  private handle(chunk: Buffer): void {
    if (this.waits) {
      this.waits = false;
      this.resume();
    }
    const before = this.accepted;
    const state = this.parser.push(chunk);
    // Whoever has sent a message before the answer to another does not wait for answers.
    if (this.parser.patient && this.accepted - before > 1) this.unhurried = true;
    if (state === "ok" && this.unhurried && this.accepted < MAX_OWED) this.owe();
    else this.answer();
    if (state === "ok") {
      if (this.holds > 0 || this.socket.writableLength > MAX_UNREAD_BYTES) this.socket.pause();
      return;
    }
    // It may have been closed while this was waiting.
    if (this.socket.destroyed) return;
    this.leave();
    if (state === "foreign") {
      this.socket.pause();
      this.giveBack(this.parser.rest);
      return;
    }
    this.options.garbage(this.peer());
    this.socket.write(
      this.options.responses.refusal("400 Bad Request", "400 Bad Request.", "Connection: close\r\n"),
    );
    this.socket.destroySoon();
  }

  private readonly ended = (): void => {
    this.answer();
    this.socket.destroySoon();
  };

  private readonly drained = (): void => {
    if (this.socket.isPaused()) this.resume();
  };

  private hold(settled: Promise<void>): void {
    this.holds++;
    void settled.finally(() => {
      this.holds--;
      if (!this.left) this.resume();
    });
  }

  private resume(): void {
    if (!this.waits && this.holds === 0) this.socket.resume();
  }

  private readonly closed = (): void => {
    this.left = true;
    this.options.closed(this);
  };

  private owe(): void {
    if (this.accepted === 0 || this.owing) return;
    this.owing = true;
    this.options.owes(this);
  }

  /** One write for the answers to all that came since the last. */
  answer(): void {
    this.owing = false;
    if (this.accepted === 0) return;
    const parts = this.options.responses.acceptedTimes(this.accepted);
    this.accepted = 0;
    if (this.socket.destroyed) return;
    if (parts.length === 1) {
      this.socket.write(parts[0]!);
      return;
    }
    this.socket.cork();
    for (const part of parts) this.socket.write(part);
    this.socket.uncork();
  }

  private refuse({ status, body }: Refusal): void {
    this.answer();
    if (!this.socket.destroyed) this.socket.write(this.options.responses.refusal(status, body));
  }

  private leave(): void {
    this.left = true;
    this.socket.removeListener("data", this.read);
    this.socket.removeListener("end", this.ended);
    this.socket.removeListener("drain", this.drained);
    this.socket.removeListener("close", this.closed);
    this.options.closed(this);
  }
}
