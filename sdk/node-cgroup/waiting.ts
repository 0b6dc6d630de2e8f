import { setTimeout as sleep } from "node:timers/promises";
import type { Patience } from "./cgroup.js";

const DEFAULT_MS = 60_000;
const LONGEST_PAUSE_MS = 50;

/** The moment, as `performance.now()` tells it, at which patience ends. */
export const deadlineOf = (patience: Patience = {}): number =>
  performance.now() + (patience.timeoutMs ?? DEFAULT_MS);

/** Asks at once, then ever less often, until the answer is yes. False when the deadline comes first. */
export async function holdsBefore(deadline: number, ask: () => boolean): Promise<boolean> {
  for (let pause = 1; ; pause = Math.min(pause * 2, LONGEST_PAUSE_MS)) {
    if (ask()) return true;
    const left = deadline - performance.now();
    if (left <= 0) return false;
    await sleep(Math.min(pause, Math.max(left, 1)));
  }
}
