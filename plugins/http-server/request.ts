import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import type { HttpRequest } from "../../sdk/contracts/http-server.js";
import { TepuiError } from "../../sdk/errors/index.js";
import { headersOf } from "./header-lines.js";
import { type BodyLimits, BodyReader } from "./request-body.js";

/** What was sent. */
export interface RequestSource {
  readonly method: string;
  /** The request target as it came. */
  readonly target: string;
  readonly headers: Readonly<IncomingHttpHeaders>;
  readonly peer: string;
  readonly received: Buffer | undefined;
  body(): Promise<Buffer>;
  stream(): AsyncIterable<Buffer>;
}

/** What the target leads to. */
export interface RequestTarget {
  readonly path: string;
  readonly rest: string;
  /** What follows the `?`; empty without one. */
  readonly queryText: string;
}

export class ServerRequest implements HttpRequest {
  readonly principal: string | undefined = undefined;
  private parsedQuery: URLSearchParams | undefined;

  constructor(
    private readonly source: RequestSource,
    private readonly routed: RequestTarget,
  ) {}

  get method(): string {
    return this.source.method;
  }

  get target(): string {
    return this.source.target;
  }

  get path(): string {
    return this.routed.path;
  }

  get rest(): string {
    return this.routed.rest;
  }

  get headers(): Readonly<IncomingHttpHeaders> {
    return this.source.headers;
  }

  get query(): URLSearchParams {
    this.parsedQuery ??= new URLSearchParams(this.routed.queryText);
    return this.parsedQuery;
  }

  get peer(): string {
    return this.source.peer;
  }

  get received(): Buffer | undefined {
    return this.source.received;
  }

  body(): Promise<Buffer> {
    return this.source.body();
  }

  stream(): AsyncIterable<Buffer> {
    return this.source.stream();
  }
}

/** A request through `node:http`. */
export class NodeRequest implements RequestSource {
  readonly received = undefined;
  private wholeBody: Promise<Buffer> | undefined;
  private knownHeaders: Readonly<IncomingHttpHeaders> | undefined;

  constructor(
    private readonly message: IncomingMessage,
    private readonly limits: BodyLimits,
  ) {}

  get method(): string {
    return this.message.method ?? "GET";
  }

  get target(): string {
    return this.message.url ?? "/";
  }

  get headers(): Readonly<IncomingHttpHeaders> {
    this.knownHeaders ??= headersOf(this.message);
    return this.knownHeaders;
  }

  get peer(): string {
    return peerOf(this.message.socket);
  }

  body(): Promise<Buffer> {
    this.wholeBody ??= BodyReader.read(this.message, this.peer, this.limits);
    return this.wholeBody;
  }

  async *stream(): AsyncGenerator<Buffer, void> {
    const { message } = this;
    try {
      yield* message.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>;
    } catch (error) {
      throw new TepuiError("TEPUI_CLIENT_GONE", { cause: error });
    } finally {
      // A client that is still sending need not wait for ever.
      message.resume();
    }
  }
}

/** `ip:port`, with brackets around an IPv6 address. */
export function peerOf({ remoteAddress, remotePort }: Socket): string {
  return remoteAddress?.includes(":") === true
    ? `[${remoteAddress}]:${remotePort}`
    : `${remoteAddress ?? "unknown"}:${remotePort ?? 0}`;
}

/** Cuts a request target (`/state?jsonp=f`, `http://host/state`) into raw path and query; undefined when it has no path. */
export function splitTarget(url: string): { path: string; query: string } | undefined {
  let target = url;
  if (!target.startsWith("/")) {
    const absolute = /^[a-z][a-z0-9+.-]*:\/\/[^/?#]*(.*)$/is.exec(target);
    if (absolute === null) return undefined;
    target = absolute[1]!.startsWith("/") ? absolute[1]! : `/${absolute[1]}`;
  }
  const fragment = target.indexOf("#");
  if (fragment >= 0) target = target.slice(0, fragment);
  const mark = target.indexOf("?");
  return mark < 0
    ? { path: target, query: "" }
    : { path: target.slice(0, mark), query: target.slice(mark + 1) };
}
