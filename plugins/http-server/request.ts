import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import type { HttpRequest } from "../../sdk/contracts/http-server.js";
import { BodyReader, type BodyWatch } from "./request-body.js";

export interface RequestTarget {
  readonly path: string;
  readonly rest: string;
  /** What follows the `?`; empty without one. */
  readonly queryText: string;
}

export interface BodyLimits {
  readonly maxBodyBytes: number;
  readonly watch: BodyWatch;
}

export class ServerRequest implements HttpRequest {
  readonly path: string;
  readonly rest: string;
  readonly principal: string | undefined = undefined;
  private parsedQuery: URLSearchParams | undefined;
  private wholeBody: Promise<Buffer> | undefined;

  constructor(
    readonly raw: IncomingMessage,
    private readonly target: RequestTarget,
    private readonly limits: BodyLimits,
  ) {
    this.path = target.path;
    this.rest = target.rest;
  }

  get method(): string {
    return this.raw.method ?? "GET";
  }

  get headers(): IncomingHttpHeaders {
    return this.raw.headers;
  }

  get query(): URLSearchParams {
    this.parsedQuery ??= new URLSearchParams(this.target.queryText);
    return this.parsedQuery;
  }

  get peer(): string {
    const { remoteAddress, remotePort } = this.raw.socket;
    return remoteAddress?.includes(":") === true
      ? `[${remoteAddress}]:${remotePort}`
      : `${remoteAddress ?? "unknown"}:${remotePort ?? 0}`;
  }

  body(): Promise<Buffer> {
    this.wholeBody ??= BodyReader.read(this.raw, this.limits.maxBodyBytes, this.limits.watch);
    return this.wholeBody;
  }
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
