import { readdir, readFile } from "node:fs/promises";
import type { Clock } from "../../sdk/contracts/clock.js";
import { isAlive, type ProcessStat, readProcessStat } from "../../sdk/proc/index.js";
import { pause } from "../../sdk/time/index.js";
import { STATE_VARIABLE } from "./plugin-runner.js";

const PATIENCE_MS = 10_000;
const POLL_MS = 5;

/**
 * Ends what is left of plugins that an earlier run of the agent called below this directory, and waits until they are gone: an ADD that
 * goes on after its DEL would leave an interface for good. Returns how many there were.
 *
 * They are known by their environment, which their children inherit; a pid that was written down could be late, or somebody else's.
 */
export async function endLeftovers(root: string, clock: Clock): Promise<number> {
  const found = await leftovers(root);
  for (const { pid } of found) {
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // It ended by itself.
    }
  }
  const end = clock.monotonic() + PATIENCE_MS;
  while (found.some(stillThere)) {
    if (clock.monotonic() > end) throw new Error("processes of CNI plugins do not end");
    await pause(clock, POLL_MS);
  }
  return found.length;
}

async function leftovers(root: string): Promise<ProcessStat[]> {
  const mark = `${STATE_VARIABLE}=${root}/`;
  const found: ProcessStat[] = [];
  for (const name of await readdir("/proc")) {
    if (!/^\d+$/.test(name) || Number(name) === process.pid) continue;
    const stat = readProcessStat(Number(name));
    if (isAlive(stat) && (await environmentOf(stat.pid)).some((entry) => entry.startsWith(mark)))
      found.push(stat);
  }
  return found;
}

async function environmentOf(pid: number): Promise<string[]> {
  try {
    return (await readFile(`/proc/${pid}/environ`, "utf8")).split("\0");
  } catch {
    // Gone, or a kernel thread.
    return [];
  }
}

function stillThere({ pid, startTicks }: ProcessStat): boolean {
  const now = readProcessStat(pid);
  return isAlive(now) && now.startTicks === startTicks;
}
