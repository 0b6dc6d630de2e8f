import type { Socket } from "node:net";
import type { Logger } from "../../sdk/contracts/logger.js";
import { OncePerPeer } from "../../sdk/http/index.js";
import { peerOf } from "./request.js";

/** Smaller answers are bounded by the number of connections, and of the requests that each may have open. */
const MIN_BYTES = 64 * 1024;

/** The state of a large cluster may be larger than any limit that suits others: so many of them are held in any case. */
const LARGEST = 4;

/**
 * Bounds what the answers take up that their clients have yet to read. Bytes that several clients wait for count once. What is too much is the
 * fault of who has not read for the longest time.
 */
export class AnswerBudget {
  /** What each connection has yet to read; first comes who was given something the longest time ago. */
  private readonly held = new Map<Socket, Uint8Array[]>();
  private readonly sharers = new Map<Uint8Array, number>();
  private readonly strangers = new OncePerPeer();
  private total = 0;

  /** @param limit bytes */
  constructor(
    private readonly limit: number,
    private readonly logger: Logger,
  ) {}

  /** The body is about to be written to this connection. Others may be cut off within this call. */
  hold(socket: Socket, body: Uint8Array): void {
    if (body.length < MIN_BYTES || socket.destroyed) return;
    const bodies = this.held.get(socket);
    if (bodies === undefined) {
      this.held.set(socket, [body]);
      socket.once("close", this.closed);
    } else bodies.push(body);
    const sharers = this.sharers.get(body) ?? 0;
    this.sharers.set(body, sharers + 1);
    if (sharers > 0) return;
    this.total += body.length;
    const most = Math.max(this.limit, LARGEST * body.length);
    for (const [oldest, { length }] of this.held) {
      if (this.total <= most) break;
      if (oldest !== socket || length > 1) this.cutOff(oldest);
    }
  }

  /** It has left, or nobody will read it. */
  release(socket: Socket, body: Uint8Array): void {
    const bodies = this.held.get(socket);
    const index = bodies?.indexOf(body) ?? -1;
    if (bodies === undefined || index < 0) return;
    bodies.splice(index, 1);
    this.forget(body);
    if (bodies.length > 0) return;
    this.held.delete(socket);
    socket.removeListener("close", this.closed);
  }

  private cutOff(socket: Socket): void {
    const peer = peerOf(socket);
    if (this.strangers.first(peer.slice(0, peer.lastIndexOf(":")), "answer")) {
      this.logger.warn(
        { peer, limit: this.limit },
        "Cut off a client that does not read its answers: together they take up too much",
      );
    }
    this.leave(socket);
    socket.destroy();
  }

  private leave(socket: Socket): void {
    for (const body of this.held.get(socket) ?? []) this.forget(body);
    this.held.delete(socket);
  }

  private forget(body: Uint8Array): void {
    const others = (this.sharers.get(body) ?? 0) - 1;
    if (others > 0) this.sharers.set(body, others);
    else if (this.sharers.delete(body)) this.total -= body.length;
  }

  /** A function that is told which socket by `this`, so that thousands of connections share one listener. */
  private readonly closed = closedListener((socket) => this.leave(socket));
}

function closedListener(told: (socket: Socket) => void): (this: Socket) => void {
  return function (this: Socket) {
    told(this);
  };
}
