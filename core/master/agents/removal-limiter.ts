import type { Clock, Timer } from "../../../sdk/contracts/clock.js";
import type { Rate } from "../../../sdk/values/index.js";

/** Limits the rate of agent removals, so that a network failure does not remove the whole cluster at once. */
export class RemovalLimiter {
  private readonly waiting: (() => void)[] = [];
  private readonly interval: number;
  private earliest = Number.NEGATIVE_INFINITY;
  private timer: Timer | undefined;

  /** @param rate undefined: unlimited */
  constructor(
    private readonly clock: Clock,
    rate: Rate | undefined,
  ) {
    this.interval = rate === undefined ? 0 : rate.per / rate.count;
  }

  /**
   * Calls `permitted` when it is this caller's turn: immediately, within the call, if nobody else is waiting. Returns a function that
   * withdraws the request.
   */
  acquire(permitted: () => void): () => void {
    if (this.waiting.length === 0 && this.clock.monotonic() >= this.earliest) {
      this.earliest = this.clock.monotonic() + this.interval;
      permitted();
      return () => {};
    }
    this.waiting.push(permitted);
    this.schedule();
    return () => {
      const index = this.waiting.indexOf(permitted);
      if (index >= 0) this.waiting.splice(index, 1);
    };
  }

  stop(): void {
    this.timer?.cancel();
    this.waiting.length = 0;
  }

  private schedule(): void {
    this.timer ??= this.clock.setTimeout(() => this.next(), this.earliest - this.clock.monotonic());
  }

  private next(): void {
    this.timer = undefined;
    const permitted = this.waiting.shift();
    if (permitted === undefined) return;
    this.earliest = this.clock.monotonic() + this.interval;
    if (this.waiting.length > 0) this.schedule();
    permitted();
  }
}
