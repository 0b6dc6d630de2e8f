import type { IncomingHttpHeaders, OutgoingHttpHeaders } from "node:http";
import type { Socket } from "node:net";
import type { Readable } from "node:stream";
import { extensionPoint } from "../plugin/extension-point.js";

/** One request as a route sees it. */
export interface HttpRequest {
  readonly method: string;
  /** The request target as it came, `/master/state?jsonp=f`. */
  readonly target: string;
  /** Decoded path without query, trailing slash and the daemon's own process prefix (`/master`, `/slave(1)`). */
  readonly path: string;
  /** What follows the matched route, without a leading slash; empty for an exact match. */
  readonly rest: string;
  readonly query: URLSearchParams;
  readonly headers: Readonly<IncomingHttpHeaders>;
  /** Peer address, `ip:port`. */
  readonly peer: string;
  /** Authenticated principal, when an authenticator accepted one. */
  readonly principal: string | undefined;
  /** The whole body. Rejects with TepuiError `TEPUI_BODY_TOO_LARGE` (413) over the server's limit, `TEPUI_CLIENT_GONE` when the peer left. */
  body(): Promise<Buffer>;
  /** The same, where it has come already: saves handlers of many small calls a wait. Undefined: wait for `body`. */
  readonly received: Buffer | undefined;
  /**
   * The body as it comes, instead of `body`: of any length, for as long as the client sends, which waits for who reads. Fails with
   * TEPUI_CLIENT_GONE when the client leaves before its end. What is not read of it is thrown away.
   */
  stream(): AsyncIterable<Buffer>;
}

/** The one answer to a request: exactly one of the methods is called, once. */
export interface HttpReply {
  /**
   * Aborted when the client leaves before it has its answer, for handlers that may take long. A client that has closed its side may still
   * want one, and is given the server's `receive_timeout` for it.
   */
  readonly closed: AbortSignal;
  /** Answers at once. A string is sent as UTF-8; `content-length` is set; no `content-type` is added unless given. */
  send(status: number, body?: string | Uint8Array, headers?: OutgoingHttpHeaders): void;
  /** Mesos's plain error form: `text/plain; charset=utf-8`. */
  text(status: number, body: string, headers?: OutgoingHttpHeaders): void;
  /** `application/json`, wrapped in a callback when the request has `?jsonp=`. `body` is JSON text already, a string or its UTF-8. */
  json(body: string | Uint8Array, status?: number, headers?: OutgoingHttpHeaders): void;
  /**
   * Begins an answer that lasts.
   *
   * @param closed the answer is over, or the connection gone; called once, never from within a call
   */
  stream(status: number, headers: OutgoingHttpHeaders, closed: () => void): ReplyStream;
  /**
   * Answers with what is read from the source. Resolves when that is over, in whatever way: a source that fails, or does not give
   * exactly `Content-Length` bytes, ends the connection, which tells the client.
   *
   * @param headers must have `Content-Length`, as a number
   */
  pipe(status: number, headers: OutgoingHttpHeaders, source: Readable): Promise<void>;
}

/** The body of an answer that lasts. */
export interface ReplyStream {
  /** Nothing more can be written: it was ended, or the client has left. */
  readonly over: boolean;
  /** Bytes that the client has yet to read. */
  readonly waiting: number;
  /** Each part is an HTTP chunk of its own; all of them leave in one write. No part may be empty. */
  write(parts: readonly Uint8Array[]): void;
  /** Resolves once the client has read enough for more to be written, or nothing more can be. */
  drained(): Promise<void>;
  end(): void;
  /** Cuts the connection. */
  destroy(): void;
}

export interface HttpRoute {
  /** `/state`, `/api/v1/scheduler`. The longest registered prefix, on segment borders, answers. */
  readonly path: string;
  /** Allowed methods; others get Mesos's 405. Absent: any method. `HEAD` is allowed wherever `GET` is. */
  readonly methods?: readonly string[];
  /** Refuse longer paths with 404 instead of answering for them. */
  readonly exact?: boolean;
  /** Mesos authentication realm, e.g. `mesos-master-readonly`; absent: open to all. */
  readonly realm?: string;
  /** A thrown TepuiError becomes its status with its detail (or else its text) as body; anything else becomes a logged 500. */
  handle(request: HttpRequest, reply: HttpReply): void | Promise<void>;
}

/**
 * Takes over connections that are not plain HTTP. It sees the first bytes of a new connection and says whether
 * they are its own; `undefined` means that more bytes are needed to decide.
 */
export interface ConnectionTaker {
  matches(head: Buffer): boolean | undefined;
  /**
   * The socket is paused and nothing listens on it. `giveBack` returns it to plain HTTP, paused and without listeners,
   * with the bytes that were read but not used: a peer may send an ordinary request on any connection.
   */
  take(socket: Socket, head: Buffer, giveBack: (rest: Buffer) => void): void;
}

/** Answers plain HTTP requests that are told by their headers rather than by their path. Asked before the routes. */
export interface RequestTaker {
  matches(request: Pick<HttpRequest, "method" | "target" | "headers">): boolean;
  handle(request: HttpRequest, reply: HttpReply): void | Promise<void>;
}

/** The daemon's one listening port. Routes and takers are added during `setup`; the port opens in `start`. */
export interface HttpServer {
  /** Address told to others. Valid once the server has started. */
  readonly address: { readonly ip: string; readonly port: number; readonly hostname: string };
  route(route: HttpRoute): void;
  take(taker: ConnectionTaker): void;
  intercept(taker: RequestTaker): void;
}

export const HttpServer = extensionPoint<HttpServer, "one">("tepui.http-server", {
  version: "1.0",
  cardinality: "one",
});
