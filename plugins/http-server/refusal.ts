import type { Socket } from "node:net";
import type { Logger } from "../../sdk/contracts/logger.js";
import { messageOf } from "../../sdk/errors/index.js";
import type { HttpDate, OncePerPeer } from "../../sdk/http/index.js";

const REFUSALS: ReadonlyMap<string, string> = new Map([
  ["HPE_HEADER_OVERFLOW", "431 Request Header Fields Too Large"],
  ["ERR_HTTP_REQUEST_TIMEOUT", "408 Request Timeout"],
]);

export interface RefusalDeps {
  readonly date: HttpDate;
  /** Whom the log names already. */
  readonly strangers: OncePerPeer;
  readonly logger: Logger;
}

/** Answers what is not HTTP, or comes too slowly, and closes. */
export function refuse(
  error: NodeJS.ErrnoException,
  socket: Socket,
  { date, strangers, logger }: RefusalDeps,
): void {
  if (!socket.writable || error.code === "ECONNRESET") return void socket.destroy();
  const peer = socket.remoteAddress ?? "unknown";
  // A client that leaves in the middle of a stream is none.
  if (error.code !== "HPE_INVALID_EOF_STATE" && strangers.first(peer, error.code ?? "")) {
    logger.warn({ peer, reason: messageOf(error) }, "Closed a connection that sent no proper HTTP");
  }
  const status = REFUSALS.get(error.code ?? "") ?? "400 Bad Request";
  const body = `${status}.`;
  const head = `Date: ${date.now()}\r\nConnection: close\r\nContent-Type: text/plain; charset=utf-8`;
  socket.end(`HTTP/1.1 ${status}\r\n${head}\r\nContent-Length: ${body.length}\r\n\r\n${body}`, () =>
    socket.destroy(),
  );
}
