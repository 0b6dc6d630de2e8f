import type { OutgoingHttpHeaders } from "node:http";
import type { Readable } from "node:stream";
import type { HttpReply, ReplyStream } from "../../sdk/contracts/http-server.js";
import type { HttpDate } from "../../sdk/http/http-date.js";
import { acceptsGzip } from "../../sdk/http/quality-list.js";
import type { Compressor } from "./compressor.js";
import type { Outgoing } from "./outgoing.js";
import type { ServerRequest } from "./request.js";

/** Smaller bodies are not worth compressing; libprocess has the same figure. */
const GZIP_MIN_BYTES = 1024;

/** A JavaScript name or path of names: anything else could smuggle script into a page of this origin. */
const CALLBACK_NAME = /^[A-Za-z_$][\w$]*(?:\.[A-Za-z_$][\w$]*|\[\d{1,9}\])*$/;
const MAX_CALLBACK_LENGTH = 128;

const TEXT = "text/plain; charset=utf-8";
const NOTHING = Buffer.alloc(0);
const NO_HEADERS: OutgoingHttpHeaders = Object.freeze({});

/** What all answers of a server have in common. */
export interface ReplyTools {
  readonly date: HttpDate;
  readonly compressor: Compressor;
}

export class ServerReply implements HttpReply {
  private leaving: AbortController | undefined;

  constructor(
    private readonly request: ServerRequest,
    readonly outgoing: Outgoing,
    private readonly tools: ReplyTools,
  ) {}

  get closed(): AbortSignal {
    if (this.leaving === undefined) {
      const leaving = new AbortController();
      this.outgoing.whenLeft(() => leaving.abort());
      this.leaving = leaving;
    }
    return this.leaving.signal;
  }

  send(status: number, body: string | Uint8Array = NOTHING, headers: OutgoingHttpHeaders = NO_HEADERS): void {
    if (this.outgoing.over) return;
    const bytes = typeof body === "string" ? Buffer.from(body) : body;
    const compress =
      bytes.length >= GZIP_MIN_BYTES &&
      !("Content-Encoding" in headers) &&
      acceptsGzip(this.request.headers["accept-encoding"]);
    if (!compress) {
      this.write(status, bytes, headers);
      return;
    }
    this.tools.compressor.compress(bytes).then(
      (small) => this.write(status, small, { ...headers, "Content-Encoding": "gzip" }),
      () => this.write(status, bytes, headers),
    );
  }

  text(status: number, body: string, headers: OutgoingHttpHeaders = {}): void {
    this.send(status, body, { ...headers, "Content-Type": TEXT });
  }

  json(body: string | Uint8Array, status = 200, headers: OutgoingHttpHeaders = {}): void {
    const callback = this.request.query.get("jsonp");
    if (callback === null) {
      this.send(status, body, { ...headers, "Content-Type": "application/json" });
      return;
    }
    if (callback.length > MAX_CALLBACK_LENGTH || !CALLBACK_NAME.test(callback)) {
      this.text(400, "The value of 'jsonp' is not the name of a JavaScript function");
      return;
    }
    const text = typeof body === "string" ? body : Buffer.from(body).toString("utf8");
    this.send(status, `${callback}(${text})`, { ...headers, "Content-Type": "text/javascript" });
  }

  stream(status: number, headers: OutgoingHttpHeaders, closed: () => void): ReplyStream {
    return this.outgoing.stream(status, { ...headers, Date: this.tools.date.now() }, closed);
  }

  pipe(status: number, headers: OutgoingHttpHeaders, source: Readable): Promise<void> {
    return this.outgoing.pipe(status, { ...headers, Date: this.tools.date.now() }, source);
  }

  /** Mesos's answer where nothing is served. */
  notFound(): void {
    this.text(404, "404 Not Found.");
  }

  private write(status: number, body: Uint8Array, headers: OutgoingHttpHeaders): void {
    if (!this.outgoing.over) this.outgoing.whole(status, headers, body);
  }
}
