import type { ContainerLaunch } from "../../../sdk/contracts/agent-containers.js";
import type { Clock } from "../../../sdk/contracts/clock.js";

/** How many of a kind are kept that nobody removed. */
export const MAX_ENDED = 1000;

/** How long it can be told how a session ended, in milliseconds: its client is gone, or asks at once. */
export const SESSION_KEPT_MS = 15 * 60 * 1000;

export interface EndedContainersOptions {
  readonly clock: Clock;
  /** Too old, or one too many. */
  readonly forget: (name: string) => void;
}

/**
 * Bounds what is known of containers that ended. Of those within an executor's the executor is the bound; standalone ones, and sessions,
 * whose clients come and go, have nobody who takes them away for certain.
 */
export class EndedContainers {
  /** When each ended, oldest first, in milliseconds of the monotonic clock. */
  private readonly sessions = new Map<string, number>();
  private readonly standalone = new Map<string, number>();

  constructor(private readonly options: EndedContainersOptions) {}

  add(name: string, launch: ContainerLaunch): void {
    const now = this.options.clock.monotonic();
    if (launch.class === "debug") this.sessions.set(name, now);
    else if (launch.containerId.parent === undefined) this.standalone.set(name, now);
    this.trim(this.sessions, now - SESSION_KEPT_MS);
    this.trim(this.standalone, Number.NEGATIVE_INFINITY);
  }

  /** It is known no more, or runs anew. */
  delete(name: string): void {
    this.sessions.delete(name);
    this.standalone.delete(name);
  }

  private trim(ended: Map<string, number>, until: number): void {
    for (const [name, time] of ended) {
      if (ended.size <= MAX_ENDED && time > until) return;
      ended.delete(name);
      this.options.forget(name);
    }
  }
}
