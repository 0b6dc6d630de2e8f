import type { OutgoingHttpHeaders } from "node:http";
import type { MessageCodec } from "../../proto/json/codec.js";
import type { HttpReply, HttpRequest } from "../contracts/http-server.js";
import type { Logger } from "../contracts/logger.js";
import { EventStream } from "./event-stream.js";
import type { MessageFormat } from "./message-format.js";

export interface SubscribersOptions<E> {
  readonly codec: MessageCodec<E>;
  readonly logger: Logger;
  /** Who subscribes, for the log: `a scheduler`. */
  readonly who: string;
  /** Bytes of events that may wait for one of them; for all together, four times as much. */
  readonly maxBufferedBytes: number;
}

const TOTAL = 4;
/** After so much was sent it is looked at how much waits. */
const CHECK_BYTES = 1024 * 1024;

/** A subscription about to begin. */
export interface NewSubscriber {
  readonly request: HttpRequest;
  readonly reply: HttpReply;
  readonly format: MessageFormat;
  readonly headers?: OutgoingHttpHeaders;
}

/** The open event streams of an endpoint. */
export class Subscribers<E> {
  private readonly streams = new Set<EventStream<E>>();
  private sent = 0;

  constructor(private readonly options: SubscribersOptions<E>) {}

  /**
   * Answers with a stream of events. `subscribe` gets its sending end, and its session is told when the client is gone; what it
   * throws refuses the subscription.
   */
  open(
    { request, ...answer }: NewSubscriber,
    subscribe: (connection: EventStream<E>) => { disconnected(): void },
  ): void {
    const { codec, logger, maxBufferedBytes, who } = this.options;
    // A connection that was cut off does not say any more whose it was.
    const { peer } = request;
    let session: { disconnected(): void } | undefined;
    const stream = new EventStream<E>({
      ...answer,
      codec,
      maxBufferedBytes,
      sent: (bytes) => this.check(bytes),
      gone: (cause) => {
        this.streams.delete(stream);
        if (cause === "overrun") {
          logger.warn({ peer, limit: maxBufferedBytes }, `Cut off ${who} that does not read its events`);
        }
        session?.disconnected();
      },
    });
    session = subscribe(stream);
    this.streams.add(stream);
    stream.open();
  }

  /** Where too much waits for all of them together, who is farthest behind is cut off. */
  private check(bytes: number): void {
    this.sent += bytes;
    if (this.sent < CHECK_BYTES) return;
    this.sent = 0;
    let last: EventStream<E> | undefined;
    let [most, total, limit] = [0, 0, 0];
    for (const stream of this.streams) {
      const { unread } = stream;
      total += unread;
      limit = Math.max(limit, stream.limit);
      if (unread > most) [last, most] = [stream, unread];
    }
    if (total > TOTAL * limit) last?.cutOff();
  }

  /** Ends every stream. */
  close(): void {
    for (const stream of this.streams) stream.close();
  }
}
