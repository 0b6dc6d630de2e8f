import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { readContainerRecord } from "../../plugins/launchers/shim/exit-record.js";
import { isAlive, processTree, readProcessStat } from "../../sdk/proc/index.js";

/**
 * Ends the containers of an agent that is gone, by the records that its launcher left below `runtime_dir`. Containers of frameworks
 * that checkpoint outlive their agent, also one that a failed test leaves behind.
 */
export async function endContainers(runtimeDir: string): Promise<void> {
  const containers = join(runtimeDir, "containers");
  for (const agent of await entries(containers)) {
    for (const id of await entries(join(containers, agent))) {
      const shim = (await readContainerRecord(join(containers, agent, id)).catch(() => undefined))?.shim;
      if (shim === undefined) continue;
      await endTree(shim.shimPid, shim.shimStart);
      await endTree(shim.pid, shim.start);
    }
  }
}

/** Not some other process that got the number since. */
async function endTree(pid: number, start: number): Promise<void> {
  const stat = readProcessStat(pid);
  if (!isAlive(stat) || stat.startTicks !== start) return;
  for (const { pid: one } of await processTree(pid)) {
    try {
      process.kill(one, "SIGKILL");
    } catch {
      // It ended by itself.
    }
  }
}

async function entries(path: string): Promise<string[]> {
  return readdir(path).catch(() => []);
}
