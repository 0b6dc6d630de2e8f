import type { Clock, Timer } from "../../../sdk/contracts/clock.js";

export interface HoldOffOptions {
  readonly clock: Clock;
  /** The part of the expected agents that is enough: 0 to 1. */
  readonly agentRecoveryFactor: number;
  /** Milliseconds. */
  readonly recoveryTimeout: number;
}

/** Whether allocation is paused: by who asked for it, or after a failover until enough agents are back. */
export class HoldOff {
  private paused = false;
  private expected = 0;
  private timer: Timer | undefined;

  constructor(
    private readonly options: HoldOffOptions,
    private readonly resumed: () => void,
  ) {}

  get isPaused(): boolean {
    return this.paused;
  }

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.timer?.cancel();
    this.timer = undefined;
    this.expected = 0;
    if (!this.paused) return;
    this.paused = false;
    this.resumed();
  }

  /** A part of the cluster only would be shared out for guarantees that concern all of it. */
  awaitAgents(expectedAgents: number): void {
    const { clock, agentRecoveryFactor, recoveryTimeout } = this.options;
    this.expected = Math.floor(expectedAgents * agentRecoveryFactor);
    if (this.expected === 0) return;
    this.pause();
    this.timer?.cancel();
    this.timer = clock.setTimeout(() => this.resume(), recoveryTimeout);
  }

  /** @param known how many agents there are by now */
  agentAdded(known: number): void {
    if (this.expected > 0 && known >= this.expected) this.resume();
  }

  /** Back to the beginning, without telling anybody. */
  stop(): void {
    this.timer?.cancel();
    this.timer = undefined;
    this.expected = 0;
    this.paused = false;
  }
}
