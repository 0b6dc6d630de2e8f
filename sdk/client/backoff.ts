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
