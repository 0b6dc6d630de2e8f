import type { Clock, Timer } from "../../sdk/contracts/clock.js";
import type { Logger } from "../../sdk/contracts/logger.js";
import type { Engine } from "./engine.js";
import { isEngineError } from "./engine-error.js";

/** How long to wait after a removal that failed, in milliseconds, and how often to try. */
const RETRY_PAUSE = 10_000;
const ATTEMPTS = 6;

/**
 * Has the engine remove containers that are over, some later than others. What is still to be removed when the agent ends is found
 * again by its label.
 */
export class Removals {
  private readonly timers = new Map<string, Timer>();
  private readonly missed: string[] = [];
  private stopped = false;

  constructor(
    private readonly engine: Engine,
    private readonly clock: Clock,
    private readonly logger: Logger,
  ) {}

  /** Resolves when it is removed; when the engine does not, it is tried again later, and no failure shows here. */
  async now(name: string): Promise<void> {
    await this.attempt(name, 1);
  }

  later(name: string, delay: number): void {
    this.after(name, delay, 1);
  }

  /** What could not be asked of it while it was away. */
  engineReturned(): void {
    for (const name of this.missed.splice(0)) this.after(name, 0, 1);
  }

  stop(): void {
    this.stopped = true;
    for (const timer of this.timers.values()) timer.cancel();
    this.timers.clear();
  }

  private after(name: string, delay: number, attempt: number): void {
    if (this.stopped) return;
    const timer = this.clock.setTimeout(() => {
      this.timers.delete(name);
      // Never rejects.
      void this.attempt(name, attempt);
    }, delay);
    this.timers.set(name, timer);
  }

  private async attempt(name: string, attempt: number): Promise<void> {
    try {
      await this.engine.remove(name);
    } catch (error) {
      if (this.stopped) return;
      if (isEngineError(error, "unreachable")) {
        this.missed.push(name);
        return;
      }
      const last = attempt === ATTEMPTS;
      this.logger.warn(
        { err: error, container: name },
        `a Docker container could not be removed${last ? "; it is left" : ""}`,
      );
      if (!last) this.after(name, RETRY_PAUSE * attempt, attempt + 1);
    }
  }
}
