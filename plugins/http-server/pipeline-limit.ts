import type { ServerResponse } from "node:http";
import type { Socket } from "node:net";

/** Requests of one connection that may wait for their answers before no more are read from it. */
const MAX_PENDING = 128;
const RESUME_AT = MAX_PENDING / 2;

/**
 * Stops reading from a connection that sends requests without waiting for answers, until some are answered. Bounds what one
 * client can make the daemon hold; a real Mesos overflows its stack at some 11,000.
 */
export class PipelineLimit {
  private readonly pending = new WeakMap<Socket, number>();

  enter(socket: Socket, response: ServerResponse): void {
    const count = (this.pending.get(socket) ?? 0) + 1;
    this.pending.set(socket, count);
    if (count >= MAX_PENDING) socket.pause();
    response.once("close", () => this.leave(socket));
  }

  private leave(socket: Socket): void {
    const count = (this.pending.get(socket) ?? 1) - 1;
    this.pending.set(socket, count);
    if (count <= RESUME_AT && socket.isPaused() && !socket.destroyed) socket.resume();
  }
}
