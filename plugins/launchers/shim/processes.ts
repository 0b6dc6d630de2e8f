import { errnoOf } from "../../../sdk/errors/index.js";
import { isAlive, readProcessStat } from "../../../sdk/proc/index.js";

/** Whether the pid still names the process that started then; 0 is an unknown start. */
export function isSame(pid: number, start: number): boolean {
  const stat = readProcessStat(pid);
  return isAlive(stat) && (start === 0 || stat.startTicks === start);
}

/** Whether any of them was still there to get it. */
export function sendAll(processes: readonly { readonly pid: number }[], signal: number): boolean {
  let sent = false;
  for (const { pid } of processes) {
    try {
      process.kill(pid, signal);
      sent = true;
    } catch (error) {
      // It ended meanwhile. Anything else, such as no permission, is a fault to be seen.
      if (errnoOf(error) !== "ESRCH") throw error;
    }
  }
  return sent;
}
