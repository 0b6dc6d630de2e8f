import type { Clock, Timer } from "../contracts/clock.js";

export interface RoundsOptions {
  readonly clock: Pick<Clock, "setTimeout">;
  /** Milliseconds from the end of one round to the beginning of the next. */
  readonly interval: number;
  readonly round: () => Promise<void>;
  /** Told of a round that failed; the next one comes all the same. */
  readonly failed: (error: unknown) => void;
}

/** Work that is done over and over, each time so long after the last one ended that it never runs twice at a time. */
export class Rounds {
  private timer: Timer | undefined;
  private ended = false;
  private latest: Promise<void> = Promise.resolve();

  constructor(private readonly options: RoundsOptions) {}

  /** No round begins any more. */
  get stopped(): boolean {
    return this.ended;
  }

  /** The first round begins when the interval is over. */
  start(): void {
    if (this.ended) return;
    const { clock, interval } = this.options;
    this.timer = clock.setTimeout(() => this.startNow(), interval);
  }

  /** The first round begins within this call. */
  startNow(): void {
    this.latest = this.perform();
  }

  /** Resolves when the round that is under way has ended. */
  stop(): Promise<void> {
    this.ended = true;
    this.timer?.cancel();
    return this.latest;
  }

  private async perform(): Promise<void> {
    try {
      await this.options.round();
    } catch (error) {
      this.options.failed(error);
    }
    this.start();
  }
}
