import * as codecs from "../../proto/gen/json/mesos/v1/master/master.js";
import { type Event, Event_Type } from "../../proto/gen/mesos/v1/master/master.js";
import type { Clock } from "../../sdk/contracts/clock.js";
import type { HttpReply, HttpRequest } from "../../sdk/contracts/http-server.js";
import type { Logger } from "../../sdk/contracts/logger.js";
import type { MasterView } from "../../sdk/contracts/master-view.js";
import type { Counter } from "../../sdk/contracts/metrics.js";
import {
  answeredByLeadership,
  type EventStream,
  type MessageFormat,
  type SharedReads,
  Subscribers,
} from "../../sdk/http/index.js";
import { encodeRecord } from "../../sdk/recordio/index.js";
import { eventsOf } from "./events.js";
import { stateOf } from "./state.js";

const HEARTBEAT_INTERVAL_MS = 15_000;
const HEARTBEAT: Event = { type: Event_Type.HEARTBEAT };

export interface OperatorStreamsOptions {
  readonly view: MasterView;
  readonly shared: SharedReads;
  readonly clock: Clock;
  readonly logger: Logger;
  /** The oldest makes room for one too many. */
  readonly maxSubscribers: number;
  /** Bytes of events that may wait for one of them. */
  readonly maxSubscriberBuffer: number;
  /** Shows how many there are. */
  readonly gauge: Counter;
}

/** The streams of those who follow what happens in the cluster. */
export class OperatorStreams {
  /** Oldest first. */
  private readonly streams = new Set<EventStream<Event>>();
  private readonly subscribers: Subscribers<Event>;
  private readonly unwatch: () => void;

  constructor(private readonly options: OperatorStreamsOptions) {
    const { logger, view, maxSubscriberBuffer } = options;
    this.subscribers = new Subscribers({
      codec: codecs.Event,
      logger,
      who: "a subscriber of the operator API",
      maxBufferedBytes: maxSubscriberBuffer,
    });
    this.unwatch = view.watch({
      ...eventsOf((make) => this.tell(make)),
      // What it knew is nothing from which this master's successor, or its own next term, goes on.
      deposed: () => this.subscribers.close(),
    });
  }

  /** Answers with the state, and from then on with every change. Resolves when the stream has begun, or is refused. */
  async open(request: HttpRequest, reply: HttpReply, format: MessageFormat): Promise<void> {
    const { view, clock, shared } = this.options;
    // Many may come at once, when a master has just begun to lead. Nothing changes between the state and what is told after it.
    const state = await shared.ask(`SUBSCRIBE ${format}`, () => encodeRecord(this.encodeState(format)));
    // It may have been deposed meanwhile.
    if (answeredByLeadership(view.leadership(), request, reply)) return;
    this.subscribers.open({ request, reply, format }, (stream) => {
      this.admit(stream);
      stream.sendRecord(state);
      stream.send(HEARTBEAT);
      const heart = clock.setInterval(() => stream.send(HEARTBEAT), HEARTBEAT_INTERVAL_MS);
      return {
        disconnected: () => {
          heart.cancel();
          this.streams.delete(stream);
          this.count();
        },
      };
    });
  }

  private encodeState(format: MessageFormat): Uint8Array {
    const event: Event = {
      type: Event_Type.SUBSCRIBED,
      subscribed: {
        get_state: stateOf(this.options.view),
        heartbeat_interval_seconds: HEARTBEAT_INTERVAL_MS / 1000,
      },
    };
    return format === "json" ? Buffer.from(codecs.Event.json.write(event)) : codecs.Event.encode(event);
  }

  stop(): void {
    this.unwatch();
    this.subscribers.close();
  }

  private admit(stream: EventStream<Event>): void {
    const { logger, maxSubscribers } = this.options;
    for (const oldest of this.streams) {
      if (this.streams.size < Math.max(1, maxSubscribers)) break;
      logger.info({ limit: maxSubscribers }, "Ending the oldest stream of operator events for a new one");
      this.streams.delete(oldest);
      oldest.close();
    }
    this.streams.add(stream);
    this.count();
  }

  /** @param make costs something, so that it is only called when somebody listens */
  private tell(make: () => Event): void {
    if (this.streams.size === 0) return;
    const event = make();
    for (const stream of this.streams) stream.send(event);
  }

  private count(): void {
    this.options.gauge.set(this.streams.size);
  }
}
