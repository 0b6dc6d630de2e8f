import { UnreachableError } from "../client/errors.js";
import type { Clock, Timer } from "../contracts/clock.js";

/** Mesos's advice to schedulers: so many missed heartbeats mean that the connection is broken. */
export const MISSED_HEARTBEATS = 5;

/** Mesos's interval, for masters that do not say theirs. */
const DEFAULT_HEARTBEAT_SECONDS = 15;

/** Notices when a stream that should have heartbeats is silent for too long. */
export class Silence {
  private last: number;
  private limit: number;
  private timer: Timer | undefined;
  private suspensions = 0;

  /** @param missed heartbeats after which the silence is too long */
  constructor(
    private readonly clock: Clock,
    private readonly missed: number,
    private readonly tooLong: (reason: UnreachableError) => void,
  ) {
    this.last = clock.monotonic();
    this.limit = missed * DEFAULT_HEARTBEAT_SECONDS * 1000;
    this.arm(this.limit);
  }

  /** The interval that the master announced, in seconds. */
  expect(heartbeatSeconds: number | undefined): void {
    if (heartbeatSeconds === undefined || !(heartbeatSeconds > 0)) return;
    this.limit = this.missed * heartbeatSeconds * 1000;
    this.arm(this.limit);
  }

  /** Something arrived. Cheap: the timer looks for itself. */
  broken(): void {
    this.last = this.clock.monotonic();
  }

  /** While this side does not read, silence means nothing. */
  async suspended(work: Promise<void>): Promise<void> {
    this.suspensions++;
    try {
      await work;
    } finally {
      this.suspensions--;
      this.broken();
    }
  }

  stop(): void {
    this.timer?.cancel();
  }

  private arm(ms: number): void {
    this.timer?.cancel();
    this.timer = this.clock.setTimeout(() => this.look(), ms);
  }

  private look(): void {
    const silent = this.suspensions > 0 ? 0 : this.clock.monotonic() - this.last;
    if (silent < this.limit) this.arm(this.limit - silent);
    else this.tooLong(new UnreachableError(`no event for ${Math.round(silent / 1000)} s`));
  }
}
