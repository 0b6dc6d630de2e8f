import type { Clock } from "../contracts/clock.js";
import type { Random } from "../contracts/random.js";

export interface BackoffOptions {
  /** Milliseconds: the longest first wait. */
  readonly initial: number;
  /** Milliseconds: the longest wait of all. */
  readonly max: number;
}

/** Random waits whose upper bound doubles: clients that lost the same daemon do not all come back at once. */
export class Backoff {
  private attempts = 0;

  constructor(
    private readonly options: BackoffOptions,
    private readonly random: Random,
  ) {}

  /** Milliseconds to wait now. */
  next(): number {
    const bound = Math.min(this.options.max, this.options.initial * 2 ** Math.min(this.attempts++, 30));
    return this.random.next() * bound;
  }

  reset(): void {
    this.attempts = 0;
  }
}

/** Resolves after `ms`, at once when the signal is aborted, then or already. */
export function pause(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const done = (): void => {
      timer.cancel();
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = clock.setTimeout(done, ms);
    signal.addEventListener("abort", done);
  });
}
