import type { Clock } from "../contracts/clock.js";

/** For which messages may hold one turn of the event loop. What else the daemon does, answering `/health` say, comes in between. */
const TURN_MS = 10;

/**
 * Spreads work over turns of the event loop, in order. When thousands of peers send at once the system hands over all that they sent in
 * one turn, and nothing else would happen until the last of it is handled.
 */
export class TurnBudget {
  private waiting: (() => void)[] = [];
  /** When this turn's work began; undefined: no turn has work. */
  private began: number | undefined;

  constructor(private readonly clock: Pick<Clock, "monotonic">) {}

  /** Does the work now, true, or in a later turn, false. */
  run(work: () => void): boolean {
    if (this.began === undefined) {
      this.began = this.clock.monotonic();
      setImmediate(this.turn);
    } else if (this.waiting.length > 0 || this.spent()) {
      this.waiting.push(work);
      return false;
    }
    work();
    return true;
  }

  private spent(): boolean {
    return this.clock.monotonic() - (this.began ?? 0) > TURN_MS;
  }

  private readonly turn = (): void => {
    this.began = this.clock.monotonic();
    const works = this.waiting;
    let done = 0;
    // What a work adds stands behind the others.
    while (done < works.length && !this.spent()) works[done++]!();
    this.waiting = works.slice(done);
    if (this.waiting.length > 0) setImmediate(this.turn);
    else this.began = undefined;
  };
}
