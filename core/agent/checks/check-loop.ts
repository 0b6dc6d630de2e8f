import type { CheckOutcome, PreparedCheck } from "../../../sdk/contracts/checker.js";
import type { Clock, Timer } from "../../../sdk/contracts/clock.js";
import { messageOf } from "../../../sdk/errors/index.js";
import { formatDuration } from "../../../sdk/values/index.js";

/** All in milliseconds. */
export interface CheckTimes {
  /** From the start of the task to the first check. */
  readonly delay: number;
  /** From the end of one check to the start of the next. */
  readonly interval: number;
  /** 0: no timeout. */
  readonly timeout: number;
}

export interface CheckLoopOptions {
  readonly clock: Pick<Clock, "setTimeout">;
  readonly check: PreparedCheck;
  readonly times: CheckTimes;
  /** Called for each check that counts; may stop the loop. */
  readonly done: (outcome: CheckOutcome) => void;
}

/** Performs one check after another until it is stopped, or lets the checker do the repeating. */
export class CheckLoop {
  private next: Timer | undefined;
  /** Recreated only after use: creating one costs more than everything else here. */
  private abort = new AbortController();
  private stopped = false;
  private endRepetition: (() => void) | undefined;

  /** @param after milliseconds until the first check */
  constructor(
    private readonly options: CheckLoopOptions,
    after: number,
  ) {
    this.schedule(after);
  }

  stop(): void {
    this.stopped = true;
    this.next?.cancel();
    this.abort.abort();
    this.endRepetition?.();
    this.endRepetition = undefined;
  }

  private readonly perform = (): void => {
    const { clock, check, times } = this.options;
    const { abort } = this;
    let late = false;
    const expire = (): void => {
      late = true;
      abort.abort();
    };
    const timer = times.timeout > 0 ? clock.setTimeout(expire, times.timeout) : undefined;
    const over = (outcome: CheckOutcome | undefined): void => {
      timer?.cancel();
      if (this.stopped) return;
      if (late) this.abort = new AbortController();
      const counted = late ? timedOut(times.timeout) : outcome;
      if (counted !== undefined) this.options.done(counted);
      this.scheduleNext();
    };
    const failed = (error: unknown): void => over({ healthy: false, message: messageOf(error) });
    try {
      check.run(abort.signal).then(over, failed);
    } catch (error) {
      // A third-party checker may throw where it should reject.
      failed(error);
    }
  };

  private scheduleNext(): void {
    // The outcome may have stopped this loop.
    if (this.stopped) return;
    const { check, times, done } = this.options;
    const repeat = (): void => {
      this.endRepetition = undefined;
      this.schedule(times.interval);
    };
    this.endRepetition = check.repeat?.({
      ...times,
      found: (outcome) => {
        if (!this.stopped) done(outcome);
      },
      late: () => {
        if (!this.stopped) done(timedOut(times.timeout));
      },
      ended: repeat,
    });
    if (this.endRepetition === undefined) repeat();
  }

  private schedule(after: number): void {
    if (!this.stopped) this.next = this.options.clock.setTimeout(this.perform, after);
  }
}

const timedOut = (timeout: number): CheckOutcome => ({
  healthy: false,
  message: `it timed out after ${formatDuration(timeout)}`,
});
