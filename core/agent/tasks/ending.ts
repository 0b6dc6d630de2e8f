import type { Clock, Timer } from "../../../sdk/contracts/clock.js";
import type { KillCause, KillRecord } from "./kill-record.js";

const SIGTERM = 15;
const SIGKILL = 9;

/** How long the end of a task waits for a disk, or for an engine, that does not answer; in milliseconds. */
const PATIENCE_MS = 60_000;

/** Neither of its promises is ever rejected. */
export interface EndingHost {
  readonly clock: Clock;
  /** Resolves when a later run of the agent would know that the task is made to end, and how; or when that cannot be. */
  note(kill: KillRecord): Promise<void>;
  /** To every process of the task's container. Resolves to whether it was sent. */
  signal(signal: number): Promise<boolean>;
}

export interface EndingOptions {
  readonly cause: KillCause;
  /** Milliseconds between SIGTERM and SIGKILL. */
  readonly grace: number;
  /** An earlier run of the agent has sent SIGTERM; `grace` is what is left. */
  readonly asked?: boolean;
}

/**
 * How a task is made to end: that is written down, then the task is asked, and when its grace is over it is ended. The grace counts
 * from when it was asked: a slow disk must not use it up. A disk or an engine that never answers only delays the end.
 */
export class Ending {
  private readonly cause: KillCause;
  private grace: number;
  /** The first record. */
  private readonly noted: Promise<void>;
  /** When the task was asked, by the monotonic clock. */
  private asked: number | undefined;
  private timer: Timer | undefined;
  private asking = false;
  private over = false;

  constructor(
    { cause, grace, asked = false }: EndingOptions,
    private readonly host: EndingHost,
  ) {
    this.cause = cause;
    this.grace = grace;
    if (asked) this.count();
    this.noted = this.note();
  }

  /** There is something to end: asks it, unless it was asked. */
  async ask(): Promise<void> {
    if (this.asking || this.asked !== undefined) return;
    this.asking = true;
    await this.atMost(this.noted);
    if (this.over) return;
    const sent = await this.atMost(this.host.signal(SIGTERM));
    if (this.over) return;
    this.count();
    if (sent === true) void this.note();
  }

  /** A later request can only bring the end nearer. */
  hasten(grace: number): void {
    if (this.over || grace >= this.grace) return;
    this.grace = grace;
    if (this.asked !== undefined) this.schedule();
    void this.note();
  }

  /** The task has ended, or is somebody else's to end. */
  stop(): void {
    this.over = true;
    this.timer?.cancel();
  }

  private count(): void {
    this.asked = this.host.clock.monotonic();
    this.schedule();
  }

  private schedule(): void {
    this.timer?.cancel();
    this.timer = this.host.clock.setTimeout(() => void this.host.signal(SIGKILL), this.left());
  }

  /** Milliseconds until SIGKILL, of a task that was asked. */
  private left(): number {
    return this.asked! + this.grace - this.host.clock.monotonic();
  }

  private note(): Promise<void> {
    const deadline = this.asked === undefined ? undefined : Math.round(this.host.clock.now() + this.left());
    return this.host.note({ cause: this.cause, grace: Math.round(this.grace), deadline });
  }

  private atMost<T>(promise: Promise<T>): Promise<T | undefined> {
    return new Promise((resolve) => {
      this.timer = this.host.clock.setTimeout(() => resolve(undefined), PATIENCE_MS);
      void promise.then((value) => {
        this.timer?.cancel();
        resolve(value);
      });
    });
  }
}
