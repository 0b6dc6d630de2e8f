import { Deferred } from "./deferred.js";
import { NotSubscribedError } from "./errors.js";
import { type EventHandler, EventHub } from "./event-hub.js";

/** What a client does between its start and its end. */
export interface ClientWork {
  /** Subscribes again and again until `ending` is aborted. What it throws ends the client. */
  run(): Promise<void>;
  /** Undoes what is left, once, before anybody learns of the end. */
  ended(): void;
}

/** The life of a client: its start, its first subscription, what it tells its user, its end. */
export class ClientLife<E extends { readonly type: string }> {
  /** Aborted when the client is to end. */
  readonly ending = new AbortController();
  private readonly hub = new EventHub<E>();
  private readonly first = new Deferred();
  private readonly finish = new Deferred();
  private started = false;
  private subscribedOnce = false;
  /** The error of a handler. */
  private failure: { readonly error: unknown } | undefined;

  constructor(private readonly work: ClientWork) {}

  /** Resolves when the client was closed; rejects with what ended it otherwise. */
  get finished(): Promise<void> {
    return this.finish.promise;
  }

  /** True once subscribed for the first time. */
  get known(): boolean {
    return this.subscribedOnce;
  }

  /** Resolves at the first subscription; rejects with what ended the client before. */
  start(): Promise<void> {
    if (!this.started) {
      this.started = true;
      void this.run().then(
        () => this.end(),
        (error: unknown) => this.end({ error }),
      );
    }
    return this.first.promise;
  }

  subscribed(): void {
    this.subscribedOnce = true;
    this.first.resolve();
  }

  /** Returns the undo. */
  on(type: string, handler: EventHandler<E>): () => void {
    return this.hub.on(type, handler);
  }

  /** Every event from now on; starts the client. What ends the client is thrown to the iteration. */
  events(): AsyncIterableIterator<E> {
    const iteration = this.hub.iterate();
    this.finish.tolerate();
    this.start().catch(() => undefined);
    return iteration;
  }

  /** Delivers an event. Resolves to true when all have handled it; to false when a handler failed, which ends the client. */
  emit(event: E): Promise<boolean> {
    return this.hub.emit(event).handled.then(
      () => true,
      (error: unknown) => {
        this.failure ??= { error };
        this.ending.abort();
        return false;
      },
    );
  }

  /** True while an iteration is so far behind that reading should wait for `ready`. */
  get behind(): boolean {
    return this.hub.behind;
  }

  /** Resolves when every iteration has caught up enough to go on, or when the signal is aborted. */
  ready(signal: AbortSignal): Promise<void> {
    return this.hub.ready(signal);
  }

  private async run(): Promise<void> {
    await this.work.run();
    if (this.failure !== undefined) throw this.failure.error;
  }

  private end(failure?: { readonly error: unknown }): void {
    this.ending.abort();
    this.work.ended();
    this.hub.end(failure);
    if (failure === undefined) {
      this.first.reject(new NotSubscribedError("the client was closed before it was subscribed"));
      this.finish.resolve();
      return;
    }
    // Whoever waits for the start learns of the failure there, and need not look at `finished` as well.
    if (!this.known) this.finish.tolerate();
    this.first.reject(failure.error);
    this.finish.reject(failure.error);
  }
}
