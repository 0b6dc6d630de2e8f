import type { Clock, Timer } from "../../../sdk/contracts/clock.js";
import type { Rate } from "../../../sdk/values/index.js";

/** Spaces out the removals of agents, so that a fault of the network does not take the whole cluster away at once. */
export class RemovalLimiter {
  private readonly waiting: (() => void)[] = [];
  private readonly interval: number;
  private earliest = Number.NEGATIVE_INFINITY;
  private timer: Timer | undefined;

  /** @param rate undefined: no limit */
  constructor(
    private readonly clock: Clock,
    rate: Rate | undefined,
  ) {
    this.interval = rate === undefined ? 0 : rate.per / rate.count;
  }

  /** Calls `permitted` once it is its turn: at once, within this call, when nobody waits. Returns the withdrawal. */
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
