import type { Clock, Timer } from "../../../sdk/contracts/clock.js";
import type { MetricTimer } from "../../../sdk/contracts/metrics.js";
import type { AllocationRun, Offer } from "./allocation-run.js";

export interface RunnerOptions {
  readonly clock: Clock;
  /** Milliseconds after which a run lets others have the event loop. */
  readonly sliceMs: number;
  /** Ends filters whose time has come; true when there are no more of them. */
  readonly expire: (isOver: () => boolean) => boolean;
  /** The run over all that is to be looked at now. Undefined: nothing is to be offered at the moment. */
  readonly makeRun: (batch: boolean) => AllocationRun | undefined;
  readonly offer: (offer: Offer) => void;
  readonly finished: (run: AllocationRun | undefined) => void;
  /** Takes how long runs work, pauses left out. */
  readonly took: MetricTimer;
}

/**
 * Does one run after another, each in slices, so that the event loop is never blocked for long however much there is to do. What is
 * offered goes out at the end of its slice, when the books are right and nothing else has happened yet.
 */
export class Runner {
  private active:
    | { readonly batch: boolean; expired: boolean; run: AllocationRun | undefined; busy: number }
    | undefined;
  private timer: Timer | undefined;
  private missed: { batch: boolean } | undefined;

  constructor(private readonly options: RunnerOptions) {}

  /** Runs at once; or, while another run is not finished, after it. */
  begin(batch: boolean): void {
    if (this.active !== undefined) {
      this.missed = { batch: batch || this.missed?.batch === true };
      return;
    }
    this.active = { batch, expired: !batch, run: undefined, busy: 0 };
    this.work();
  }

  stop(): void {
    this.timer?.cancel();
    this.timer = undefined;
    this.active = undefined;
    this.missed = undefined;
  }

  private work(): void {
    const { active } = this;
    const { clock, sliceMs, took } = this.options;
    if (active === undefined) return;
    const start = clock.monotonic();
    const done = this.slice(active, start, () => clock.monotonic() - start >= sliceMs);
    active.busy += clock.monotonic() - start;
    for (const offer of active.run?.takeOffers() ?? []) this.options.offer(offer);
    // A callback may have stopped the allocator.
    if (this.active !== active) return;
    if (!done) {
      this.timer = clock.setTimeout(() => this.work(), 0);
      return;
    }
    this.active = undefined;
    if (active.run !== undefined) took.record(active.busy);
    this.options.finished(active.run);
    const { missed } = this;
    this.missed = undefined;
    if (missed !== undefined) this.timer = clock.setTimeout(() => this.begin(missed.batch), 0);
  }

  private slice(active: NonNullable<typeof this.active>, now: number, isOver: () => boolean): boolean {
    if (!active.expired) {
      active.expired = this.options.expire(isOver);
      if (!active.expired) return false;
    }
    active.run ??= this.options.makeRun(active.batch);
    return active.run?.slice(now, isOver) ?? true;
  }
}
