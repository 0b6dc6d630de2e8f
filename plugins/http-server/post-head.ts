import type { IncomingHttpHeaders } from "node:http";
import type { HttpRoute, RequestTaker } from "../../sdk/contracts/http-server.js";
import { type RequestTarget, splitTarget } from "./request.js";
import type { Router } from "./router.js";

/** The head of a plain POST, with the route that it leads to. */
export interface PostHead {
  readonly target: string;
  readonly headers: Readonly<IncomingHttpHeaders>;
  readonly route: HttpRoute;
  readonly routed: RequestTarget;
  /** Of the body, bytes. */
  readonly length: number;
}

export interface PostHeadOptions {
  readonly router: Router;
  readonly maxBodyBytes: number;
  /** Somebody other than a route answers such requests. */
  isTaken(request: Parameters<RequestTaker["matches"]>[0]): boolean;
}

/** More different heads than the clients of a daemon send; then the memory starts anew. */
const MAX_KNOWN = 1024;
const MAX_KNOWN_LENGTH = 2048;

const REQUEST_LINE = /^POST ([!-~]+) HTTP\/1\.1$/;
const HEADER = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([\t\x20-\x7e\x80-\xff]*)$/;
const LENGTH = /^\d{1,15}$/;

/**
 * Reads heads, and remembers them: a client's calls differ in their bodies and hardly in their heads. Undefined for whatever is not
 * the plain form that clients of the APIs send, or has no route that takes it.
 */
export class PostHeads {
  private readonly known = new Map<string, PostHead>();

  constructor(private readonly options: PostHeadOptions) {}

  /** @param text without the empty line at its end */
  find(text: string): PostHead | undefined {
    const known = this.known.get(text);
    if (known !== undefined) return known;
    const head = this.parse(text);
    if (head === undefined || text.length > MAX_KNOWN_LENGTH) return head;
    if (this.known.size >= MAX_KNOWN) this.known.clear();
    this.known.set(text, head);
    return head;
  }

  private parse(text: string): PostHead | undefined {
    const [line = "", ...lines] = text.split("\r\n");
    const target = REQUEST_LINE.exec(line)?.[1];
    const headers = parseHeaders(lines);
    if (target === undefined || headers === undefined) return undefined;
    if (this.options.isTaken({ method: "POST", target, headers })) return undefined;
    const length = bodyLength(headers);
    if (length === undefined || length > this.options.maxBodyBytes) return undefined;
    const url = splitTarget(target);
    const found = url === undefined ? undefined : this.options.router.find(url.path);
    if (url === undefined || found === undefined) return undefined;
    const { route, path, rest } = found;
    if (route.methods !== undefined && !route.methods.includes("POST")) return undefined;
    return { target, headers, route, routed: { path, rest, queryText: url.query }, length };
  }
}

/** By name in lower case; undefined when a line is odd or a header comes twice. */
function parseHeaders(lines: readonly string[]): IncomingHttpHeaders | undefined {
  const headers: IncomingHttpHeaders = {};
  for (const line of lines) {
    const match = HEADER.exec(line);
    if (match === null) return undefined;
    const name = match[1]!.toLowerCase();
    if (Object.hasOwn(headers, name) || name === "__proto__") return undefined;
    headers[name] = match[2]!.trimEnd();
  }
  return Object.freeze(headers);
}

/** Undefined when the body is not framed by a plain length, or more than reading it is asked for. */
function bodyLength(headers: IncomingHttpHeaders): number | undefined {
  const { connection } = headers;
  if (connection !== undefined && connection.toLowerCase() !== "keep-alive") return undefined;
  for (const name of ["transfer-encoding", "content-encoding", "expect", "upgrade", "trailer"]) {
    if (headers[name] !== undefined) return undefined;
  }
  const length = headers["content-length"];
  return length !== undefined && LENGTH.test(length) ? Number(length) : undefined;
}
