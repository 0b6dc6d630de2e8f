import { performance } from "node:perf_hooks";
import type { Clock, Timer } from "./clock.js";

/** The longest delay that Node's timers take; more would fire at once. */
const MAX_DELAY_MS = 2 ** 31 - 1;

/** The clock of the machine. */
export class SystemClock implements Clock {
  /** Date.now() has no fraction; performance counts fractions from this origin but does not follow corrections of the clock. */
  now(): number {
    const coarse = Date.now();
    const fine = performance.timeOrigin + performance.now();
    return Math.abs(fine - coarse) < 2 ? fine : coarse;
  }

  monotonic(): number {
    return performance.now();
  }

  setTimeout(fn: () => void, ms: number): Timer {
    let handle: NodeJS.Timeout;
    const arm = (remaining: number): void => {
      const delay = Math.max(0, Math.min(remaining, MAX_DELAY_MS));
      handle = setTimeout(() => (remaining > MAX_DELAY_MS ? arm(remaining - MAX_DELAY_MS) : fn()), delay);
    };
    arm(ms);
    return { cancel: () => clearTimeout(handle) };
  }

  setInterval(fn: () => void, ms: number): Timer {
    if (ms <= MAX_DELAY_MS) {
      const handle = setInterval(fn, ms);
      return { cancel: () => clearInterval(handle) };
    }
    let timer: Timer;
    const again = (): void => {
      timer = this.setTimeout(() => {
        again();
        fn();
      }, ms);
    };
    again();
    return { cancel: () => timer.cancel() };
  }
}
