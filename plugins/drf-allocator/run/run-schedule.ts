import type { Clock, Timer } from "../../../sdk/contracts/clock.js";
import type { MetricTimer } from "../../../sdk/contracts/metrics.js";

/** How long freed resources wait for others to be freed, so that they make one offer: milliseconds. */
const GATHER_MS = 10;

export interface RunScheduleOptions {
  readonly clock: Clock;
  /** Milliseconds. */
  readonly interval: number;
  /** Called every interval. */
  readonly batch: () => void;
  /** Called after requests. */
  readonly run: () => void;
  /** Takes how long requests waited. */
  readonly waited: MetricTimer;
}

/** When to allocate: every interval, and soon after an event; requests that come before the run merge into it. */
export class RunSchedule {
  private batch: Timer | undefined;
  private next: { readonly timer: Timer; readonly at: number; readonly asked: number } | undefined;

  constructor(private readonly options: RunScheduleOptions) {}

  start(): void {
    const { clock, interval, batch } = this.options;
    this.batch ??= clock.setInterval(() => {
      this.begin();
      batch();
    }, interval);
  }

  stop(): void {
    this.batch?.cancel();
    this.batch = undefined;
    this.next?.timer.cancel();
    this.next = undefined;
  }

  get isPending(): boolean {
    return this.next !== undefined;
  }

  /** Run as soon as the present call stack is done. */
  soon(): void {
    this.request(0);
  }

  /** Run soon, but wait a little for more of the same. */
  gather(): void {
    this.request(GATHER_MS);
  }

  private request(ms: number): void {
    if (this.batch === undefined) return;
    const { clock } = this.options;
    const now = clock.monotonic();
    if (this.next !== undefined && this.next.at <= now + ms) return;
    const asked = this.next?.asked ?? now;
    this.next?.timer.cancel();
    const timer = clock.setTimeout(() => {
      this.begin();
      this.options.run();
    }, ms);
    this.next = { timer, at: now + ms, asked };
  }

  /** A run begins: it serves all requests so far. */
  private begin(): void {
    const now = this.options.clock.monotonic();
    this.options.waited.record(now - (this.next?.asked ?? now));
    this.next?.timer.cancel();
    this.next = undefined;
  }
}
