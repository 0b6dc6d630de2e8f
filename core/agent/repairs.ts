import type { Clock, Timer } from "../../sdk/contracts/clock.js";

/** Milliseconds. */
const INTERVAL = 10_000;

/** Retries what could not be done, after a while; whatever fails again is added again. */
export class Repairs<T> {
  private readonly waiting = new Set<T>();
  private timer: Timer | undefined;

  constructor(
    private readonly clock: Clock,
    private readonly attempt: (one: T) => void,
  ) {}

  later(one: T): void {
    this.waiting.add(one);
    this.timer ??= this.clock.setTimeout(() => {
      this.timer = undefined;
      const all = [...this.waiting];
      this.waiting.clear();
      for (const one of all) this.attempt(one);
    }, INTERVAL);
  }

  /** Drops what is no longer needed. */
  forget(unneeded: (one: T) => boolean): void {
    for (const one of this.waiting) if (unneeded(one)) this.waiting.delete(one);
  }

  stop(): void {
    this.timer?.cancel();
  }
}
