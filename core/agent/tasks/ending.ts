import type { Clock, Timer } from "../../../sdk/contracts/clock.js";
import type { KillCause, KillRecord } from "./kill-record.js";

const SIGTERM = 15;
const SIGKILL = 9;

/** How long the end of a task waits for a disk or an engine that does not answer, in milliseconds. */
const PATIENCE_MS = 60_000;

/** Its promises never reject. */
export interface EndingHost {
  readonly clock: Clock;
  /** Resolves when a later run of the agent would know that the task is being killed, and how; or when that is impossible. */
  note(kill: KillRecord): Promise<void>;
  /** Sends a signal to every process of the task's container. Resolves to whether it was sent. */
  signal(signal: number): Promise<boolean>;
}

export interface EndingOptions {
  readonly cause: KillCause;
  /** Milliseconds between SIGTERM and SIGKILL. */
  readonly grace: number;
  /** An earlier run of the agent has sent SIGTERM already; `grace` is the rest. */
  readonly asked?: boolean;
}

/**
 * How a task is killed: a record is written, then SIGTERM is sent, then, after the grace period, SIGKILL. The grace period counts from the
 * SIGTERM: a slow disk must not use it up. A disk or an engine that never answers only delays the end.
 */
export class Ending {
  private readonly cause: KillCause;
  private grace: number;
  /** The first record. */
  private readonly recorded: Promise<void>;
  /** When SIGTERM was sent, by the monotonic clock. */
  private termSentAt: number | undefined;
  private timer: Timer | undefined;
  private asking = false;
  private over = false;

  constructor(
    { cause, grace, asked = false }: EndingOptions,
    private readonly host: EndingHost,
  ) {
    this.cause = cause;
    this.grace = grace;
    if (asked) this.startGrace();
    this.recorded = this.record();
  }

  /** There is something to kill: sends SIGTERM, unless it was sent already. */
  async ask(): Promise<void> {
    if (this.asking || this.termSentAt !== undefined) return;
    this.asking = true;
    await this.atMost(this.recorded);
    if (this.over) return;
    const sent = await this.atMost(this.host.signal(SIGTERM));
    if (this.over) return;
    this.startGrace();
    if (sent === true) void this.record();
  }

  /** A later request can only shorten the grace period. */
  hasten(grace: number): void {
    if (this.over || grace >= this.grace) return;
    this.grace = grace;
    if (this.termSentAt !== undefined) this.schedule();
    void this.record();
  }

  /** The task has ended, or somebody else takes care of it. */
  stop(): void {
    this.over = true;
    this.timer?.cancel();
  }

  private startGrace(): void {
    this.termSentAt = this.host.clock.monotonic();
    this.schedule();
  }

  private schedule(): void {
    this.timer?.cancel();
    this.timer = this.host.clock.setTimeout(() => void this.host.signal(SIGKILL), this.left());
  }

  /** Milliseconds until SIGKILL, after SIGTERM. */
  private left(): number {
    return this.termSentAt! + this.grace - this.host.clock.monotonic();
  }

  private record(): Promise<void> {
    const deadline =
      this.termSentAt === undefined ? undefined : Math.round(this.host.clock.now() + this.left());
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
