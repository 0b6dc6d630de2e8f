import type { OutgoingHttpHeaders } from "node:http";
import type { Readable } from "node:stream";
import type { ReplyStream } from "../../sdk/contracts/http-server.js";

/** Where the one answer to a request goes. */
export interface Outgoing {
  /** Nothing can be answered any more: an answer has begun, or the client has left. */
  readonly over: boolean;
  /** An answer that lasts has begun and not ended. */
  readonly streaming: boolean;
  /** `Date` and `Content-Length` are added. */
  whole(status: number, headers: OutgoingHttpHeaders, body: Uint8Array): void;
  stream(status: number, headers: OutgoingHttpHeaders, closed: () => void): ReplyStream;
  pipe(status: number, headers: OutgoingHttpHeaders, source: Readable): Promise<void>;
  /** Calls when the client has left, once, and possibly when it has its answer; never from within a call. */
  whenLeft(left: () => void): void;
  /** Cuts the connection. */
  abort(): void;
}
