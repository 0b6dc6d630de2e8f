import type { Call, Event } from "../../proto/gen/mesos/v1/scheduler/scheduler.js";
import type { DaemonAddress } from "../client/address.js";

/** One subscription. */
export interface SchedulerStream {
  /** In order, once. Ends when the master ends the stream; throws when the connection breaks. Stops reading while nothing is taken. */
  readonly events: AsyncIterable<Event>;
  /** Resolves when the master has accepted the call; rejects with one of the client errors. Calls arrive in the order in which they are sent. */
  send(call: Call): Promise<void>;
  /** Ends the subscription, after the calls under way. Idempotent. */
  close(): Promise<void>;
}

export interface SubscribeRequest {
  readonly master: DaemonAddress;
  /** A SUBSCRIBE. */
  readonly call: Call;
  /** Aborted: give up, or end the stream at once. */
  readonly signal: AbortSignal;
}

/** How a scheduler client talks to one master: HTTP, gRPC, or a test's own. */
export interface SchedulerTransport {
  /** Of an address that names none. */
  readonly defaultPort: number;
  /** Resolves when the master has taken the subscription (which an ERROR event may still refuse); rejects with a client error. */
  subscribe(request: SubscribeRequest): Promise<SchedulerStream>;
}
