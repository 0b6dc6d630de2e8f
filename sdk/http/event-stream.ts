import type { OutgoingHttpHeaders, ServerResponse } from "node:http";
import type { MessageCodec } from "../../proto/json/codec.js";
import type { HttpReply } from "../contracts/http-server.js";
import { encodeRecord } from "../recordio/index.js";
import { MEDIA_TYPES, type MessageFormat } from "./message-format.js";

const CRLF = Buffer.from("\r\n");
const LAST_CHUNK = Buffer.from("0\r\n\r\n");

export interface EventStreamOptions<E> {
  readonly reply: HttpReply;
  readonly format: MessageFormat;
  readonly codec: MessageCodec<E>;
  /** Sent before `Content-Type`. */
  readonly headers?: OutgoingHttpHeaders;
  /** Bytes that may wait for the client; over it the connection is cut. */
  readonly maxBufferedBytes: number;
  /** The connection is gone, for whatever reason. Called once, never from within `send`. */
  gone(cause: StreamEnd): void;
}

/** `overrun`: the client did not read fast enough and was cut off; `closed`: everything else. */
export type StreamEnd = "overrun" | "closed";

/**
 * A response that lasts: events as RecordIO in the format that the client accepts. Each event is encoded once, at once; those
 * of one turn of the event loop leave in one write, but every record is an HTTP chunk of its own: Mesos sends them so, and
 * there are clients that take each chunk for one record. (`cork` of a response would merge them into one chunk.)
 */
export class EventStream<E> {
  private readonly raw: ServerResponse;
  private records: Buffer[] = [];
  private waiting = 0;
  private scheduled = false;
  private opened = false;
  /** The client reads chunks; one of HTTP/1.0 reads until the end. */
  private chunked = false;
  private ended = false;
  private overrun = false;
  private reported = false;

  constructor(private readonly options: EventStreamOptions<E>) {
    this.raw = options.reply.raw;
    this.raw.once("close", () => this.report());
  }

  /** Sends the head of the response. Events may be sent before; an error status is possible until then. */
  open(): void {
    if (this.opened) return;
    this.opened = true;
    if (this.raw.destroyed) {
      // The client left before: its "close" may have come before this stream listened.
      setImmediate(() => this.report());
      return;
    }
    const { format, headers } = this.options;
    this.raw.writeHead(200, { ...headers, "Content-Type": MEDIA_TYPES[format] });
    this.raw.flushHeaders();
    // From here on the chunks are framed below, so that many go into one write.
    this.chunked = this.raw.chunkedEncoding;
    this.raw.chunkedEncoding = false;
    this.schedule();
  }

  /** False when the client is gone, has been told to go, or has fallen too far behind and is cut off. */
  send(event: E): boolean {
    if (this.ended || this.raw.destroyed) return false;
    this.encode(event);
    if (this.waiting + this.raw.writableLength > this.options.maxBufferedBytes) {
      this.overrun = true;
      this.abandon();
      return false;
    }
    this.schedule();
    return true;
  }

  /** Ends the response after what was sent. */
  close(): void {
    if (this.ended) return;
    this.ended = true;
    if (this.opened) this.flush();
  }

  private encode(event: E): void {
    const { codec, format } = this.options;
    const bytes = format === "json" ? Buffer.from(codec.json.write(event)) : codec.encode(event);
    const record = encodeRecord(bytes);
    this.records.push(record);
    this.waiting += record.length;
  }

  private schedule(): void {
    if (this.scheduled || !this.opened) return;
    this.scheduled = true;
    setImmediate(() => this.flush());
  }

  private flush(): void {
    this.scheduled = false;
    const { records } = this;
    this.records = [];
    this.waiting = 0;
    if (this.raw.destroyed || this.raw.writableEnded) return;
    const parts = this.chunked ? inChunks(records) : records;
    if (this.ended && this.chunked) parts.push(LAST_CHUNK);
    if (parts.length > 0) this.raw.write(parts.length === 1 ? parts[0]! : Buffer.concat(parts));
    if (this.ended) this.raw.end();
  }

  private abandon(): void {
    this.ended = true;
    this.records = [];
    this.waiting = 0;
    this.raw.destroy();
  }

  private report(): void {
    if (this.reported) return;
    this.reported = true;
    this.ended = true;
    this.options.gone(this.overrun ? "overrun" : "closed");
  }
}

function inChunks(records: readonly Buffer[]): Buffer[] {
  return records.flatMap((record) => [
    Buffer.from(`${record.length.toString(16)}\r\n`, "latin1"),
    record,
    CRLF,
  ]);
}
