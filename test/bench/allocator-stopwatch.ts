import { performance } from "node:perf_hooks";

/**
 * Milliseconds that this process has worked since: what passed, or its processor time where that is less. The two are the same on a
 * machine that has nothing else to do; on another one the time that others had is left out.
 */
export function stopwatch(): () => number {
  const wall = performance.now();
  const { user, system } = process.cpuUsage();
  return () => {
    const used = process.cpuUsage();
    return Math.min(performance.now() - wall, (used.user + used.system - user - system) / 1000);
  };
}
