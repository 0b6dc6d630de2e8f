import type { Socket } from "node:net";
import type { ConnectionTaker } from "../../sdk/contracts/http-server.js";
import type { Logger } from "../../sdk/contracts/logger.js";

export interface GateOptions {
  readonly takers: readonly ConnectionTaker[];
  /** Receives a connection that is plain HTTP: running, with its first bytes put back. */
  readonly plain: (socket: Socket) => void;
  readonly maxConnections: number;
  /** Destroys some connections that were given out and that nothing is lost by; where it can choose, at most so many. */
  readonly makeRoom: (most: number) => void;
  /** Plain HTTP decides for itself about a head that is longer. */
  readonly maxHeadBytes: number;
  readonly logger: Logger;
}

interface Undecided {
  head: Buffer;
  /** Set at the first sweep that sees the half-sent head, which the second then ends. */
  aged: boolean;
}

/**
 * Lets connections in, up to a bound, and decides by their first bytes whose they are.
 *
 * A connection that has sent nothing may stay: libprocess opens one as soon as two actors are linked and may not use it for
 * long. When the bound is reached, the one that has been silent longest makes room, or who has sent half of a first request; then those
 * make room of which nothing is being answered.
 */
export class ConnectionGate {
  private readonly open = new Set<Socket>();
  private readonly silent = new Set<Socket>();
  private readonly undecided = new Map<Socket, Undecided>();
  private full = false;

  constructor(private readonly options: GateOptions) {}

  get size(): number {
    return this.open.size;
  }

  admit(socket: Socket): void {
    // Without a listener an error of the socket would end the process; who uses the connection sees it close.
    socket.on("error", ignore);
    if (this.open.size >= this.options.maxConnections && !this.makeRoom()) {
      socket.destroy();
      return;
    }
    this.open.add(socket);
    socket.once("close", () => this.forget(socket));
    if (this.options.takers.length === 0) {
      this.options.plain(socket);
      return;
    }
    this.silent.add(socket);
    const decide = (chunk: Buffer): void => this.decide(socket, chunk, leave);
    const gone = (): void => void socket.destroy();
    const leave = (): void => {
      socket.removeListener("data", decide);
      socket.removeListener("end", gone);
    };
    socket.on("data", decide);
    socket.on("end", gone);
  }

  /** Called at an even pace: ends connections that keep a first request half sent. */
  sweep(): void {
    for (const [socket, state] of this.undecided) {
      if (state.aged) socket.destroy();
      else state.aged = true;
    }
  }

  /** Closes what nobody has taken yet. */
  closeUndecided(): void {
    for (const socket of this.silent) socket.destroy();
    for (const socket of this.undecided.keys()) socket.destroy();
  }

  closeAll(): void {
    for (const socket of this.open) socket.destroy();
  }

  private decide(socket: Socket, chunk: Buffer, leave: () => void): void {
    this.silent.delete(socket);
    const state = this.undecided.get(socket);
    const head = state === undefined ? chunk : Buffer.concat([state.head, chunk]);
    const verdict = head.length > this.options.maxHeadBytes ? null : this.judge(head);
    if (verdict === undefined) {
      if (state === undefined) this.undecided.set(socket, { head, aged: false });
      else state.head = head;
      return;
    }
    this.undecided.delete(socket);
    leave();
    socket.pause();
    if (verdict === null) this.giveToHttp(socket, head);
    else verdict.take(socket, head, (rest) => this.giveToHttp(socket, rest));
  }

  /** The taker that wants it; null when nobody does; undefined while that is open. */
  private judge(head: Buffer): ConnectionTaker | null | undefined {
    let open = false;
    for (const taker of this.options.takers) {
      const matches = taker.matches(head);
      if (matches === true) return taker;
      if (matches === undefined) open = true;
    }
    return open ? undefined : null;
  }

  private giveToHttp(socket: Socket, head: Buffer): void {
    if (socket.destroyed) return;
    if (head.length > 0) socket.unshift(head);
    this.options.plain(socket);
    socket.resume();
  }

  private makeRoom(): boolean {
    if (!this.full) {
      this.full = true;
      this.options.logger.warn(
        { connections: this.open.size },
        "As many connections as max_connections and the limit of open files allow",
      );
    }
    const [oldest = this.undecided.keys().next().value] = this.silent;
    if (oldest !== undefined) {
      oldest.destroy();
      this.forget(oldest);
      return true;
    }
    // Several at once, because looking for them takes time.
    this.options.makeRoom(this.options.maxConnections / 100);
    for (const socket of this.open) if (socket.destroyed) this.forget(socket);
    return this.open.size < this.options.maxConnections;
  }

  private forget(socket: Socket): void {
    this.open.delete(socket);
    this.silent.delete(socket);
    this.undecided.delete(socket);
    if (this.open.size < this.options.maxConnections * 0.9) this.full = false;
  }
}

const ignore = (): void => undefined;
