import type { ContainerLaunch } from "../../../sdk/contracts/agent-containers.js";
import type { Clock } from "../../../sdk/contracts/clock.js";

/** How many ended containers of a kind are kept if nobody removes them. */
export const MAX_ENDED = 1000;

/** How long the end of a session can be queried, in milliseconds: its client asks at once, or is gone. */
export const SESSION_KEPT_MS = 15 * 60 * 1000;

export interface EndedContainersOptions {
  readonly clock: Clock;
  /** Called for those that are too old or too many. */
  readonly forget: (name: string) => void;
}

/**
 * Bounds what is kept of ended containers. Containers nested in an executor go with it; standalone containers and sessions, whose clients
 * come and go, have nobody who reliably removes them.
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

  /** The container is forgotten, or runs again. */
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
