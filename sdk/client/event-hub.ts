/** A handler may be asynchronous; what it returns is awaited only by what depends on the event being handled. */
// biome-ignore lint/suspicious/noConfusingVoidType: a handler that returns nothing is the common case.
export type EventHandler<E> = (event: E) => void | Promise<unknown>;

/** Events that an iteration may be behind before the source is held. */
const HIGH_WATER = 256;

interface Waiting<E> {
  readonly event: E;
  readonly taken: () => void;
}

/**
 * Hands events to handlers, in order and without waiting for the slow ones, and to iterations, each at its own pace.
 */
export class EventHub<E extends { readonly type: string }> {
  private readonly handlers = new Map<string, Set<EventHandler<E>>>();
  private readonly iterations = new Set<Iteration<E>>();
  private ended: { readonly error?: unknown } | undefined;

  /** Returns the undo. */
  on(type: string, handler: EventHandler<E>): () => void {
    const set = this.handlers.get(type) ?? new Set();
    this.handlers.set(type, set.add(handler));
    return () => void set.delete(handler);
  }

  listens(type: string): boolean {
    return (this.handlers.get(type)?.size ?? 0) > 0;
  }

  /** True while an iteration is so far behind that the source should wait for `ready`. */
  get behind(): boolean {
    for (const iteration of this.iterations) if (iteration.isBehind) return true;
    return false;
  }

  /** Every event from now on. After the end: what ended it. */
  iterate(): AsyncIterableIterator<E> {
    const iteration = new Iteration<E>(() => this.iterations.delete(iteration));
    if (this.ended === undefined) this.iterations.add(iteration);
    else iteration.end(this.ended);
    return iteration;
  }

  /**
   * Delivers one event. `handled` resolves when every handler has returned (and its promise resolved) and every
   * iteration has asked for the next event; it rejects when a handler fails.
   */
  emit(event: E): { readonly handled: Promise<unknown> } {
    const waits: Promise<unknown>[] = [];
    for (const handler of [...(this.handlers.get(event.type) ?? [])]) {
      try {
        const result = handler(event);
        if (result !== undefined) waits.push(result);
      } catch (error) {
        waits.push(Promise.reject(error));
      }
    }
    for (const iteration of this.iterations) waits.push(iteration.push(event));
    return { handled: waits.length === 0 ? Promise.resolve() : Promise.all(waits) };
  }

  /** Resolves when every iteration has caught up enough to go on, or when the signal is aborted. */
  async ready(signal: AbortSignal): Promise<void> {
    for (const iteration of this.iterations) {
      if (!signal.aborted && iteration.isBehind) await iteration.caughtUp(signal);
    }
  }

  end(error?: { readonly error: unknown }): void {
    this.ended = error ?? {};
    for (const iteration of this.iterations) iteration.end(this.ended);
    this.iterations.clear();
  }
}

class Iteration<E> implements AsyncIterableIterator<E> {
  private readonly queue: Waiting<E>[] = [];
  private current: Waiting<E> | undefined;
  private pull: ((result: IteratorResult<E> | Promise<never>) => void) | undefined;
  private ended: { readonly error?: unknown } | undefined;
  private drained: (() => void) | undefined;

  constructor(private readonly leave: () => void) {}

  [Symbol.asyncIterator](): this {
    return this;
  }

  push(event: E): Promise<void> {
    return new Promise((taken) => {
      this.queue.push({ event, taken });
      this.serve();
    });
  }

  next(): Promise<IteratorResult<E>> {
    this.current?.taken();
    this.current = undefined;
    return new Promise((resolve) => {
      this.pull = resolve;
      this.serve();
    });
  }

  async return(): Promise<IteratorResult<E>> {
    this.leave();
    this.current?.taken();
    for (const { taken } of this.queue.splice(0)) taken();
    this.end({});
    return { done: true, value: undefined };
  }

  end(ended: { readonly error?: unknown }): void {
    this.ended ??= ended;
    this.drained?.();
    this.serve();
  }

  get isBehind(): boolean {
    return this.queue.length >= HIGH_WATER;
  }

  caughtUp(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      this.drained = () => {
        signal.removeEventListener("abort", this.drained!);
        this.drained = undefined;
        resolve();
      };
      signal.addEventListener("abort", this.drained);
    });
  }

  private serve(): void {
    if (this.pull === undefined) return;
    const next = this.queue.shift();
    if (next === undefined && this.ended === undefined) return;
    const pull = this.pull;
    this.pull = undefined;
    if (next !== undefined) {
      this.current = next;
      pull({ done: false, value: next.event });
    } else if ("error" in this.ended!) {
      const { error } = this.ended;
      this.ended = {};
      pull(Promise.reject(error));
    } else {
      pull({ done: true, value: undefined });
    }
    if (!this.isBehind || this.ended !== undefined) this.drained?.();
  }
}
