import type { Clock, Timer } from "../../sdk/contracts/clock.js";
import type { Logger } from "../../sdk/contracts/logger.js";
import type { Engine } from "./engine.js";
import { isEngineError } from "./engine-error.js";

/** A container that is over. */
export interface Removable {
  /** By what the engine is asked for it. */
  readonly handle: string;
  readonly name: string;
}

/** How long to wait after a removal that failed, in milliseconds, and how often to try. */
const RETRY_PAUSE = 10_000;
const ATTEMPTS = 6;

/**
 * Has the engine remove containers that are over, some later than others. What is still to be removed when the agent ends is found
 * again by its label.
 */
export class Removals {
  /** By handle. */
  private readonly waiting = new Map<string, { readonly container: Removable; readonly timer: Timer }>();
  private readonly missed: Removable[] = [];
  private stopped = false;

  constructor(
    private readonly engine: Engine,
    private readonly clock: Clock,
    private readonly logger: Logger,
  ) {}

  /** Resolves when it is removed; when the engine does not, it is tried again later, and no failure shows here. */
  async now(container: Removable): Promise<void> {
    await this.attempt(container, 1);
  }

  later(container: Removable, delay: number): void {
    this.after(container, delay, 1);
  }

  /** Removes it now where it was to be removed later. */
  hasten(handle: string): void {
    const found = this.waiting.get(handle);
    if (found === undefined) return;
    found.timer.cancel();
    this.waiting.delete(handle);
    this.logger.warn(
      { container: found.container.name },
      "removing a Docker container that was started again",
    );
    // Never rejects.
    void this.attempt(found.container, 1);
  }

  /** What could not be asked of it while it was away. */
  engineReturned(): void {
    for (const container of this.missed.splice(0)) this.after(container, 0, 1);
  }

  stop(): void {
    this.stopped = true;
    for (const { timer } of this.waiting.values()) timer.cancel();
    this.waiting.clear();
  }

  private after(container: Removable, delay: number, attempt: number): void {
    if (this.stopped) return;
    const timer = this.clock.setTimeout(() => {
      this.waiting.delete(container.handle);
      // Never rejects.
      void this.attempt(container, attempt);
    }, delay);
    this.waiting.set(container.handle, { container, timer });
  }

  private async attempt(container: Removable, attempt: number): Promise<void> {
    try {
      await this.engine.remove(container.handle);
    } catch (error) {
      if (this.stopped) return;
      if (isEngineError(error, "unreachable")) {
        this.missed.push(container);
        return;
      }
      const last = attempt === ATTEMPTS;
      this.logger.warn(
        { err: error, container: container.name },
        `a Docker container could not be removed${last ? "; it is left" : ""}`,
      );
      if (!last) this.after(container, RETRY_PAUSE * attempt, attempt + 1);
    }
  }
}
