import { performance } from "node:perf_hooks";
import type { Clock, Timer } from "../../sdk/contracts/clock.js";
import { stopwatch } from "./allocator-stopwatch.js";

interface Pending {
  readonly at: number;
  readonly fn: () => void;
  readonly every: number | undefined;
}

/**
 * A clock whose timers run when the bench says so, while within them time passes as it really does: what an allocator does in one
 * timer is what would block the event loop.
 */
export class BenchClock implements Clock {
  /** Milliseconds that were skipped. */
  private skipped = 0;
  private readonly timers = new Set<Pending>();
  /** The longest that one timer took, and how long all took, since `reset`; milliseconds. */
  longest = 0;
  busy = 0;

  now(): number {
    return this.monotonic();
  }

  monotonic(): number {
    return this.skipped + performance.now();
  }

  setTimeout(fn: () => void, ms: number): Timer {
    return this.set({ at: this.monotonic() + Math.max(0, ms), fn, every: undefined });
  }

  setInterval(fn: () => void, ms: number): Timer {
    const timer = { at: this.monotonic() + ms, fn, every: ms };
    let current = this.set(timer);
    const again = (): void => {
      current = this.set({ ...timer, at: this.monotonic() + ms, fn: tick });
    };
    const tick = (): void => {
      again();
      fn();
    };
    current.cancel();
    again();
    return { cancel: () => current.cancel() };
  }

  reset(): void {
    this.longest = 0;
    this.busy = 0;
  }

  /** Runs what is due within the next `ms`, and whatever that sets for at once, without waiting. Returns the time spent in it. */
  pass(ms: number): number {
    const before = this.busy;
    const end = this.monotonic() + ms;
    for (;;) {
      const next = this.next();
      if (next === undefined || next.at > Math.max(end, this.monotonic())) break;
      this.timers.delete(next);
      this.skipped += Math.max(0, next.at - this.monotonic());
      const worked = stopwatch();
      next.fn();
      const took = worked();
      this.busy += took;
      this.longest = Math.max(this.longest, took);
    }
    this.skipped += Math.max(0, end - this.monotonic());
    return this.busy - before;
  }

  private next(): Pending | undefined {
    let first: Pending | undefined;
    for (const timer of this.timers) if (first === undefined || timer.at < first.at) first = timer;
    return first;
  }

  private set(timer: Pending): Timer {
    this.timers.add(timer);
    return { cancel: () => this.timers.delete(timer) };
  }
}
