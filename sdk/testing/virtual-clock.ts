import type { Clock, Timer } from "../contracts/clock.js";

interface Pending {
  readonly at: number;
  /** Breaks ties, so that timers of one instant run in the order in which they were set. */
  readonly order: number;
  /** Absent once it has run or was cancelled; a cancelled one stays in the heap until its time. */
  fn: (() => void) | undefined;
}

/** 2020-01-01T00:00:00Z: a wall clock that looks like one in what is printed. */
const DEFAULT_START_MS = 1_577_836_800_000;

/**
 * A clock that stands still until it is advanced. Timers run in the order of their times, each at exactly its time, and
 * everything that a timer set in motion through promises settles before the next one runs.
 */
export class VirtualClock implements Clock {
  private elapsed = 0;
  private orders = 0;
  private readonly heap: Pending[] = [];
  private live = 0;

  /** @param start milliseconds since the epoch */
  constructor(private start: number = DEFAULT_START_MS) {}

  now(): number {
    return this.start + this.elapsed;
  }

  monotonic(): number {
    return this.elapsed;
  }

  /** Somebody sets the wall clock `ms` forward (back where negative); no time passes. */
  jump(ms: number): void {
    this.start += ms;
  }

  setTimeout(fn: () => void, ms: number): Timer {
    const pending = this.schedule(fn, this.elapsed + delayOf(ms));
    return { cancel: () => this.cancel(pending) };
  }

  setInterval(fn: () => void, ms: number): Timer {
    if (!(ms > 0)) throw new RangeError(`an interval of ${ms} ms would never let time pass`);
    let pending: Pending;
    const tick = (): void => {
      pending = this.schedule(tick, this.elapsed + ms);
      fn();
    };
    pending = this.schedule(tick, this.elapsed + ms);
    return { cancel: () => this.cancel(pending) };
  }

  /** Timers that are set and not yet due. */
  get pendingTimers(): number {
    return this.live;
  }

  /** Milliseconds until the next timer is due; undefined when none is set. */
  get untilNext(): number | undefined {
    this.dropCancelled();
    const next = this.heap[0];
    return next === undefined ? undefined : Math.max(0, next.at - this.elapsed);
  }

  /** Lets `ms` pass, runs every timer that becomes due, also those set on the way, and lets promises settle. */
  async advance(ms: number): Promise<void> {
    const end = this.elapsed + delayOf(ms);
    await settle();
    while (this.runNext(end)) await settle();
    this.elapsed = end;
    await settle();
  }

  /** As `advance`, without waiting for promises: for code that is synchronous throughout, such as large simulations. */
  advanceSync(ms: number): void {
    const end = this.elapsed + delayOf(ms);
    while (this.runNext(end));
    this.elapsed = end;
  }

  /** Goes from timer to timer until the condition holds. Throws when it does not within `limitMs` of virtual time. */
  async advanceUntil(condition: () => boolean, limitMs: number): Promise<void> {
    const end = this.elapsed + limitMs;
    await settle();
    while (!condition()) {
      if (!this.runNext(end))
        throw new Error(`the condition did not hold within ${limitMs} ms of virtual time`);
      await settle();
    }
  }

  private schedule(fn: () => void, at: number): Pending {
    const pending = { at, order: this.orders++, fn };
    this.live++;
    this.heap.push(pending);
    this.siftUp(this.heap.length - 1);
    return pending;
  }

  private cancel(pending: Pending): void {
    if (pending.fn === undefined) return;
    pending.fn = undefined;
    this.live--;
  }

  /** Runs the first timer due by `end`, at its own time. */
  private runNext(end: number): boolean {
    this.dropCancelled();
    const next = this.heap[0];
    if (next === undefined || next.at > end) return false;
    this.pop();
    this.elapsed = Math.max(this.elapsed, next.at);
    const run = next.fn;
    next.fn = undefined;
    this.live--;
    run?.();
    return true;
  }

  private dropCancelled(): void {
    while (this.heap.length > 0 && this.heap[0]!.fn === undefined) this.pop();
  }

  private pop(): void {
    const last = this.heap.pop()!;
    if (this.heap.length === 0) return;
    this.heap[0] = last;
    this.siftDown(0);
  }

  private siftUp(start: number): void {
    let index = start;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (!before(this.heap[index]!, this.heap[parent]!)) return;
      this.swap(index, parent);
      index = parent;
    }
  }

  private siftDown(start: number): void {
    let index = start;
    for (;;) {
      const left = 2 * index + 1;
      const right = left + 1;
      let first = index;
      if (left < this.heap.length && before(this.heap[left]!, this.heap[first]!)) first = left;
      if (right < this.heap.length && before(this.heap[right]!, this.heap[first]!)) first = right;
      if (first === index) return;
      this.swap(index, first);
      index = first;
    }
  }

  private swap(a: number, b: number): void {
    const held = this.heap[a]!;
    this.heap[a] = this.heap[b]!;
    this.heap[b] = held;
  }
}

const before = (a: Pending, b: Pending): boolean => a.at < b.at || (a.at === b.at && a.order < b.order);

const delayOf = (ms: number): number => (ms > 0 ? ms : 0);

/**
 * Waits until chains of promises have run out: a macrotask comes after all microtasks, and two let work through that
 * itself hops over a macrotask (setImmediate inside Node's streams).
 */
async function settle(): Promise<void> {
  await new Promise<void>((resolve) => setImmediate(resolve));
  await new Promise<void>((resolve) => setImmediate(resolve));
}
