import type { Clock } from "../sdk/contracts/clock.js";
import type { Logger } from "../sdk/contracts/logger.js";

export interface StallWatchOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  /** Microseconds of CPU time that this process has used. Default: from the system. */
  readonly cpuUsage?: () => { readonly user: number; readonly system: number };
}

/** How often the event loop is checked, and the delay that is worth logging; milliseconds. */
const LOOK_MS = 1000;
const WORTH_A_LINE_MS = 2000;

/**
 * Logs when the event loop was blocked for seconds, so that requests, heartbeats and timers had to wait. Either some code computed without
 * a break, which no plugin should do, or the process did not run at all. Returns a function that ends the watch.
 */
export function watchForStalls({
  clock,
  logger,
  cpuUsage = () => process.cpuUsage(),
}: StallWatchOptions): () => void {
  const cpuMs = (): number => {
    const { user, system } = cpuUsage();
    return (user + system) / 1000;
  };
  let last = { at: clock.monotonic(), cpu: cpuMs() };
  const timer = clock.setInterval(() => {
    const now = { at: clock.monotonic(), cpu: cpuMs() };
    const [late, cpu] = [now.at - last.at - LOOK_MS, now.cpu - last.cpu];
    last = now;
    if (late < WORTH_A_LINE_MS) return;
    const facts = { ms: Math.round(late), cpuMs: Math.round(cpu) };
    if (cpu > late / 2)
      logger.warn(facts, "all else waited for code that computed without a break; a plugin's should pause");
    else logger.warn(facts, "all else waited: this process was stopped, or waited for memory or a disk");
  }, LOOK_MS);
  return () => timer.cancel();
}
