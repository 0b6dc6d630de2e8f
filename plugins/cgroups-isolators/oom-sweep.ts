import type { Clock, Timer } from "../../sdk/contracts/clock.js";
import type { Cgroup } from "../../sdk/node-cgroup/index.js";

const PERIOD_MS = 1000;

interface Waiter {
  found(): void;
  failed(error: unknown): void;
}

/** Looks after groups from which the kernel's OOM events cannot be had: all of them at one timer, which runs only while there are any. */
export class OomSweep {
  private readonly waiters = new Map<Pick<Cgroup, "memory">, Waiter>();
  private timer: Timer | undefined;

  constructor(private readonly clock: Clock) {}

  /** Resolves when one of the group's processes was killed for want of memory; rejects at the signal, and when the group is gone. */
  wait(group: Pick<Cgroup, "memory">, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const abort = (): void => this.end(group, () => reject(signal.reason));
      const leave = (settle: () => void) => {
        signal.removeEventListener("abort", abort);
        this.end(group, settle);
      };
      this.waiters.set(group, {
        found: () => leave(resolve),
        failed: (error) => leave(() => reject(error)),
      });
      signal.addEventListener("abort", abort);
      this.timer ??= this.clock.setInterval(() => this.look(), PERIOD_MS);
    });
  }

  stop(): void {
    this.timer?.cancel();
    this.timer = undefined;
  }

  private look(): void {
    for (const [group, waiter] of this.waiters) {
      try {
        if (group.memory.oomKills() > 0) waiter.found();
      } catch (error) {
        waiter.failed(error);
      }
    }
  }

  private end(group: Pick<Cgroup, "memory">, settle: () => void): void {
    this.waiters.delete(group);
    if (this.waiters.size === 0) this.stop();
    settle();
  }
}
