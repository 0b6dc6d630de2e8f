import type { Clock, Timer } from "../../sdk/contracts/clock.js";
import type { Logger } from "../../sdk/contracts/logger.js";
import type { Counter, Metrics } from "../../sdk/contracts/metrics.js";
import type { Disk } from "./disk/operations.js";

export interface GarbageCollectorOptions {
  readonly clock: Clock;
  readonly disk: Disk;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Milliseconds that a directory is kept while there is room. */
  readonly delay: number;
  /** Fraction (0 to 1) of the disk that should stay free. */
  readonly headroom: number;
  /** Milliseconds between looks at the disk usage. */
  readonly watchInterval: number;
  /** Fraction (0 to 1) of the disk that is in use. */
  readonly usage: () => Promise<number>;
}

/**
 * Removes what ended executors left behind: after a delay that gets shorter as the disk fills up. By Mesos's rule, a directory may reach
 * the age of `delay * max(0, 1 - headroom - usage)`.
 */
export class GarbageCollector {
  /** When each path is due, in milliseconds of the monotonic clock. */
  private readonly due = new Map<string, number>();
  /** For some paths, a directory above them in which others may write. */
  private readonly boundaries = new Map<string, string>();
  private readonly removing = new Set<string>();
  private timer: Timer | undefined;
  private armedFor = Number.POSITIVE_INFINITY;
  private watch: Timer | undefined;
  private readonly succeeded: Counter;
  private readonly failed: Counter;
  private maxAge: number;
  private stopped = false;

  constructor(private readonly options: GarbageCollectorOptions) {
    const { metrics } = options;
    this.succeeded = metrics.counter("gc/path_removals_succeeded");
    this.failed = metrics.counter("gc/path_removals_failed");
    metrics.gauge("gc/path_removals_pending", () => this.due.size + this.removing.size);
    this.maxAge = options.delay;
  }

  start(): void {
    this.watch = this.options.clock.setInterval(() => void this.checkDisk(), this.options.watchInterval);
  }

  stop(): void {
    this.stopped = true;
    this.timer?.cancel();
    this.watch?.cancel();
  }

  /** Milliseconds that a directory may be kept at present. */
  get maxAllowedAge(): number {
    return this.maxAge;
  }

  /**
   * @param age milliseconds since it was used last
   * @param boundary a directory above it in which others may write
   */
  schedule(path: string, age = 0, boundary?: string): void {
    const time = this.options.clock.monotonic() + this.options.delay - age;
    this.due.set(path, time);
    if (boundary !== undefined) this.boundaries.set(path, boundary);
    if (time < this.armedFor) this.arm(time);
  }

  /** It is used again. */
  unschedule(path: string): void {
    this.due.delete(path);
    this.boundaries.delete(path);
  }

  async checkDisk(): Promise<void> {
    const { usage, delay, headroom, logger } = this.options;
    try {
      this.maxAge = delay * Math.max(0, 1 - headroom - (await usage()));
      // Counted back from the due time, so that a full disk also removes directories that were old when they were scheduled.
      this.removeDue(delay - this.maxAge);
    } catch (error) {
      logger.error({ err: error }, "cannot tell how full the disk is");
    }
  }

  private arm(time: number): void {
    this.timer?.cancel();
    this.armedFor = time;
    if (this.stopped || time === Number.POSITIVE_INFINITY) return;
    const { clock } = this.options;
    this.timer = clock.setTimeout(() => {
      this.removeDue(0);
      let next = Number.POSITIVE_INFINITY;
      for (const other of this.due.values()) next = Math.min(next, other);
      this.arm(next);
    }, time - clock.monotonic());
  }

  /** @param early milliseconds by which a path may be removed before it is due */
  private removeDue(early: number): void {
    const now = this.options.clock.monotonic() + early;
    for (const [path, time] of this.due) if (time <= now) void this.remove(path);
  }

  private async remove(path: string): Promise<void> {
    this.due.delete(path);
    this.removing.add(path);
    const boundary = this.boundaries.get(path);
    this.boundaries.delete(path);
    try {
      await this.options.disk.discard(path, boundary);
      this.succeeded.inc();
    } catch (error) {
      this.failed.inc();
      this.options.logger.warn({ err: error, path }, "cannot remove a directory");
    }
    this.removing.delete(path);
  }
}
