import type { Timer } from "../../../../sdk/contracts/clock.js";
import { SystemClock } from "../../../../sdk/contracts/system-clock.js";

/** The machine's clock as one process sees it: with its death nothing more happens in its time. */
export class MortalClock extends SystemClock {
  private readonly timers = new Set<Timer>();
  private dead = false;

  override setTimeout(fn: () => void, ms: number): Timer {
    return this.keep(super.setTimeout(fn, ms));
  }

  override setInterval(fn: () => void, ms: number): Timer {
    return this.keep(super.setInterval(fn, ms));
  }

  die(): void {
    this.dead = true;
    for (const timer of this.timers) timer.cancel();
  }

  private keep(timer: Timer): Timer {
    if (this.dead) timer.cancel();
    else this.timers.add(timer);
    return timer;
  }
}
