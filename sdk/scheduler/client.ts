import { Call, Call_Type, type Event, Event_Type } from "../../proto/gen/mesos/v1/scheduler/scheduler.js";
import { addressText } from "../client/address.js";
import { Backoff } from "../client/backoff.js";
import { ClientLife } from "../client/client-life.js";
import {
  NotLeaderError,
  NotSubscribedError,
  ProtocolError,
  UnavailableError,
  UnreachableError,
} from "../client/errors.js";
import type { EventHandler } from "../client/event-hub.js";
import type { PartialMessage } from "../client/partial.js";
import type { Clock } from "../contracts/clock.js";
import { SystemClock } from "../contracts/system-clock.js";
import { SystemRandom } from "../contracts/system-random.js";
import { messageOf } from "../errors/tepui-error.js";
import { pause } from "../time/index.js";
import { type FrameworkUpdate, SchedulerCalls } from "./calls.js";
import { chooseTransport } from "./choose-transport.js";
import { frameworkError } from "./errors.js";
import { type SchedulerEvent, type SchedulerEventOf, schedulerEvent } from "./events.js";
import { Masters } from "./masters.js";
import type { SchedulerClientOptions } from "./options.js";
import { MISSED_HEARTBEATS, Silence } from "./silence.js";
import { Subscription } from "./subscription.js";
import type { SchedulerStream, SchedulerTransport } from "./transport.js";

const DEFAULT_BACKOFF = { initial: 500, max: 10_000 };

/**
 * A framework's side of the scheduler API.
 *
 *     const client = new SchedulerClient({ master: "localhost:5050", framework: { name: "example" } });
 *     client.on("offers", ({ offers }) => client.decline(offers));
 *     await client.start();
 *
 * or `for await (const event of client.events()) ...`. It finds the leader, subscribes, subscribes again with the same id when
 * the connection breaks or heartbeats are missing, and acknowledges status updates.
 */
export class SchedulerClient extends SchedulerCalls implements AsyncDisposable {
  /**
   * Resolves when the client was closed; rejects with what ended it otherwise: a refusal (`FrameworkRefusedError`, `FrameworkRemovedError`,
   * `FrameworkFailedOverError`, `AuthenticationError`, ...), lost patience, or the error of a handler.
   */
  readonly finished: Promise<void>;

  private readonly options: SchedulerClientOptions;
  private readonly clock: Clock;
  private readonly backoff: Backoff;
  private readonly life = new ClientLife<SchedulerEvent>({
    run: () => this.run(),
    ended: () => {
      this.subscribed = false;
    },
  });
  /** Set by `close`, which lets the stream end before it aborts what is under way. */
  private closing = false;
  /** Automatic acknowledgements under way. */
  private readonly acknowledging = new Set<Promise<void>>();
  private subscription: Subscription;
  private stream: SchedulerStream | undefined;
  /** Set between SUBSCRIBED and the end of its stream. */
  private subscribed = false;
  /** Set while TEARDOWN is under way; resolves to whether the master took it. */
  private tearingDown: Promise<boolean> | undefined;

  constructor(options: SchedulerClientOptions) {
    super();
    const { missedHeartbeats: missed = MISSED_HEARTBEATS } = options;
    if (!(missed > 0)) throw new RangeError("missedHeartbeats must be more than 0");
    this.options = options;
    this.clock = options.clock ?? new SystemClock();
    this.backoff = new Backoff(options.backoff ?? DEFAULT_BACKOFF, options.random ?? new SystemRandom());
    this.subscription = new Subscription(options);
    this.finished = this.life.finished;
  }

  /** Assigned by the master at the first subscription. Kept and given as `framework.id`, it lets a later process take over. */
  get frameworkId(): string | undefined {
    return this.subscription.frameworkId?.value;
  }

  /** Calls are possible: subscribed, and the connection is thought to stand. */
  get connected(): boolean {
    return this.subscribed;
  }

  /** Calls `handler` for every event of the type, in order. An error that it throws ends the client. Returns the undo. */
  on<T extends SchedulerEvent["type"]>(type: T, handler: EventHandler<SchedulerEventOf<T>>): () => void {
    return this.life.on(type, handler as EventHandler<SchedulerEvent>);
  }

  /**
   * Every event from now on; starts the client. Leaving the loop leaves the client running. The iteration ends when the client
   * is closed and throws what ended it otherwise. A loop that is 256 events behind stops the reading of the stream.
   */
  events(): AsyncIterableIterator<SchedulerEvent> {
    return this.life.events();
  }

  /** Subscribes. Resolves at the first subscription; rejects with what ended the client before. */
  start(): Promise<void> {
    return this.life.start();
  }

  send(call: PartialMessage<Call>): Promise<void> {
    const sent = this.transmit(call);
    sent.catch(() => undefined);
    return sent;
  }

  /** Ends the framework: its tasks are killed and its id is used up. The client is closed then. */
  async teardown(): Promise<void> {
    const sent = this.send({ type: Call_Type.TEARDOWN });
    this.tearingDown = sent.then(
      () => true,
      () => false,
    );
    await sent;
    await this.close();
  }

  /** Changes the FrameworkInfo (other than user, principal and checkpoint), suppressed roles and constraints; all of them are replaced. */
  async updateFramework(update: FrameworkUpdate): Promise<void> {
    const updated = this.subscription.updated(update);
    await this.send(updated.updateCall());
    this.subscription = updated;
  }

  /**
   * Leaves: the framework stays known, and its tasks run, for its `failover_timeout`. With `teardown` it is ended first.
   */
  async close({ teardown = false }: { teardown?: boolean } = {}): Promise<void> {
    if (teardown && this.subscribed) return this.teardown();
    this.start().catch(() => undefined);
    if (this.stream !== undefined) {
      // An iteration that was just left has handled its last event by the next turn, and what was handled is acknowledged.
      await new Promise((resolve) => setImmediate(resolve));
      await Promise.all(this.acknowledging);
      this.closing = true;
      await this.stream?.close();
    }
    this.life.ending.abort();
    // What ended the client, if not this call, is reported by `finished`.
    await this.finished.catch(() => undefined);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  private async run(): Promise<void> {
    const transport = await chooseTransport(this.options);
    const masters = new Masters(this.options.master, transport.defaultPort);
    const { signal } = this.life.ending;
    let without = this.clock.monotonic();
    while (!this.over) {
      const { reason, retryNow } = await this.attempt(transport, masters);
      if (this.over || (await this.tearingDown) === true) break;
      if (this.subscribed) {
        this.subscribed = false;
        without = this.clock.monotonic();
        void this.life.emit({ type: "disconnected", reason: messageOf(reason) });
      } else {
        const patience = this.options.patience?.[this.life.known ? "reconnect" : "connect"];
        if (patience !== undefined && this.clock.monotonic() - without >= patience) throw reason;
      }
      if (!retryNow) await pause(this.clock, this.backoff.next(), signal);
    }
  }

  /** One subscription from its beginning to its end. Throws what makes another attempt pointless. */
  private async attempt(
    transport: SchedulerTransport,
    masters: Masters,
  ): Promise<{ reason: unknown; retryNow: boolean }> {
    const connection = new AbortController();
    const signal = AbortSignal.any([this.life.ending.signal, connection.signal]);
    const master = masters.current;
    try {
      this.stream = await transport.subscribe({ master, call: this.subscription.subscribeCall(), signal });
      await this.follow(this.stream, { masters, connection, signal });
      return { reason: new UnreachableError(`${addressText(master)} ended the stream`), retryNow: false };
    } catch (error) {
      const reason: unknown = connection.signal.aborted ? connection.signal.reason : error;
      if (this.over) return { reason, retryNow: false };
      if (reason instanceof NotLeaderError) {
        const { leader } = reason;
        return { reason, retryNow: leader === undefined ? masters.failed() : masters.redirected(leader) };
      }
      if (!worthRetrying(reason)) throw reason;
      return { reason, retryNow: masters.failed() && !this.subscribed };
    } finally {
      const stream = this.stream;
      this.stream = undefined;
      // Calls that hang on a dead connection must not hold up the next one; what becomes of them, their callers learn.
      void stream?.close().catch(() => undefined);
    }
  }

  private async follow(
    stream: SchedulerStream,
    { masters, connection, signal }: { masters: Masters; connection: AbortController; signal: AbortSignal },
  ): Promise<void> {
    const { missedHeartbeats = MISSED_HEARTBEATS } = this.options;
    const silence = new Silence(this.clock, missedHeartbeats, (reason) => connection.abort(reason));
    try {
      for await (const event of stream.events) {
        silence.broken();
        if (event.type === Event_Type.ERROR) throw frameworkError(event.error?.message ?? "");
        if (event.type === Event_Type.SUBSCRIBED) {
          masters.settled();
          this.backoff.reset();
          silence.expect(event.subscribed?.heartbeat_interval_seconds);
        }
        this.receive(event);
        if (this.life.behind) await silence.suspended(this.life.ready(signal));
        if (signal.aborted) return;
      }
    } finally {
      silence.stop();
    }
  }

  private receive(wireEvent: Event): void {
    const event = schedulerEvent(wireEvent);
    if (event === undefined) return;
    if (event.type === "subscribed") {
      this.subscription.assign(event.framework_id);
      this.subscribed = true;
      this.life.subscribed();
    }
    void this.emit(event);
  }

  private async emit(event: SchedulerEvent): Promise<void> {
    const handled = await this.life.emit(event);
    if (handled && this.options.acknowledgements !== "manual") this.acknowledgeEvent(event);
  }

  private acknowledgeEvent(event: SchedulerEvent): void {
    if (event.type !== "update" && event.type !== "update_operation_status") return;
    const sent =
      event.type === "update" ? this.acknowledge(event.status) : this.acknowledgeOperation(event.status);
    // A lost acknowledgement is no loss: the update comes again.
    const settled = sent.catch(() => undefined).then(() => void this.acknowledging.delete(settled));
    this.acknowledging.add(settled);
  }

  private async transmit(call: PartialMessage<Call>): Promise<void> {
    const { stream } = this;
    if (stream === undefined || !this.subscribed || this.over) {
      const state = this.over ? "the client is closed" : "the client is not subscribed now";
      throw new NotSubscribedError(state);
    }
    const message = Call.fromPartial(call as Call);
    message.framework_id = this.subscription.frameworkId;
    await stream.send(message);
  }

  private get over(): boolean {
    return this.closing || this.life.ending.signal.aborted;
  }
}

function worthRetrying(error: unknown): boolean {
  return (
    error instanceof UnreachableError || error instanceof UnavailableError || error instanceof ProtocolError
  );
}
