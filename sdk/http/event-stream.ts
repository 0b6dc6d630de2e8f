import type { OutgoingHttpHeaders } from "node:http";
import type { MessageCodec } from "../../proto/json/codec.js";
import type { HttpReply, ReplyStream } from "../contracts/http-server.js";
import { encodeRecord } from "../recordio/index.js";
import { MEDIA_TYPES, type MessageFormat } from "./message-format.js";

export interface EventStreamOptions<E> {
  readonly reply: HttpReply;
  readonly format: MessageFormat;
  readonly codec: MessageCodec<E>;
  /** Sent before `Content-Type`. */
  readonly headers?: OutgoingHttpHeaders;
  /** Bytes that may wait for the client besides the first event, which may tell the state of a whole cluster; over it the connection is cut. */
  readonly maxBufferedBytes: number;
  /** So many bytes more wait for the client. Must not send. */
  sent?(bytes: number): void;
  /** The connection is gone, for whatever reason. Called once, never from within `send`. */
  gone(cause: StreamEnd): void;
}

/** `overrun`: the client did not read fast enough and was cut off; `closed`: everything else. */
export type StreamEnd = "overrun" | "closed";

/**
 * A response that lasts: events as RecordIO in the format that the client accepts. Each event is encoded once, at once; those
 * of one turn of the event loop leave in one write, but every record is an HTTP chunk of its own: Mesos sends them so, and
 * there are clients that take each chunk for one record.
 */
export class EventStream<E> {
  private stream: ReplyStream | undefined;
  private records: Buffer[] = [];
  private waiting = 0;
  private first: number | undefined;
  private scheduled = false;
  private ended = false;
  private overrun = false;

  constructor(private readonly options: EventStreamOptions<E>) {}

  /** Sends the head of the response. Events may be sent before; an error status is possible until then. */
  open(): void {
    if (this.stream !== undefined) return;
    const { reply, format, headers } = this.options;
    this.stream = reply.stream(200, { ...headers, "Content-Type": MEDIA_TYPES[format] }, () => this.report());
    if (this.overrun) this.stream.destroy();
    else this.schedule();
  }

  /** False when the client is gone, has been told to go, or has fallen too far behind and is cut off. */
  send(event: E): boolean {
    if (this.ended || this.stream?.over === true) return false;
    const { codec, format } = this.options;
    const bytes = format === "json" ? Buffer.from(codec.json.write(event)) : codec.encode(event);
    return this.sendRecord(encodeRecord(bytes));
  }

  /** The same for one that is encoded already, in the stream's format and as a record, because others get it, too. */
  sendRecord(record: Buffer): boolean {
    if (this.ended || this.stream?.over === true) return false;
    const { length: size } = record;
    this.records.push(record);
    this.waiting += size;
    this.first ??= size;
    if (this.unread > this.limit) {
      this.cutOff();
      return false;
    }
    this.schedule();
    this.options.sent?.(size);
    return true;
  }

  /** Bytes that may wait for the client. */
  get limit(): number {
    return (this.first ?? 0) + this.options.maxBufferedBytes;
  }

  /** Bytes that wait for the client. */
  get unread(): number {
    return this.waiting + (this.stream?.waiting ?? 0);
  }

  /** Ends the connection, because the client does not read fast enough. */
  cutOff(): void {
    if (this.ended) return;
    this.overrun = true;
    this.abandon();
  }

  /** Ends the response after what was sent. */
  close(): void {
    if (this.ended) return;
    this.ended = true;
    this.flush();
  }

  private schedule(): void {
    if (this.scheduled || this.stream === undefined) return;
    this.scheduled = true;
    setImmediate(() => this.flush());
  }

  private flush(): void {
    const { stream, records } = this;
    if (stream === undefined) return;
    this.scheduled = false;
    this.records = [];
    this.waiting = 0;
    stream.write(records);
    if (this.ended) stream.end();
  }

  private abandon(): void {
    this.ended = true;
    this.records = [];
    this.waiting = 0;
    this.stream?.destroy();
  }

  private report(): void {
    this.ended = true;
    this.options.gone(this.overrun ? "overrun" : "closed");
  }
}
