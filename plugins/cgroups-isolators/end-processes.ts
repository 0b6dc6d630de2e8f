import { setTimeout as sleep } from "node:timers/promises";
import { type Cgroup, CgroupError, type CgroupHost } from "../../sdk/node-cgroup/index.js";

const PAUSE_MS = 5;

/**
 * Ends what still runs in a group that is to be removed: as a rule nothing, for the launcher has been there before. Freezing is what a
 * process cannot outrun by forking, so the rest is moved into a freezer group of the same path, whether the launcher uses one or not.
 *
 * Waits no longer than `timeoutMs`: what is left then is for the removal to name.
 */
export async function endProcesses(host: CgroupHost, group: Cgroup, timeoutMs: number): Promise<void> {
  if (group.processes({ below: true }).length === 0) return;
  if (host.version("freezer") === undefined) return endOneByOne(group, timeoutMs);
  const freezer = host.group(group.path, ["freezer"]);
  freezer.create();
  const end = performance.now() + timeoutMs;
  for (;;) {
    // A child that is born meanwhile is where its parent is; those of parents not moved yet are found in the next round.
    const moved = new Set(freezer.processes({ below: true }));
    for (const pid of group.processes({ below: true })) {
      if (!moved.has(pid)) moveTo(freezer, pid);
    }
    await freezer.kill({ timeoutMs });
    if (group.processes({ below: true }).length === 0 || performance.now() > end) break;
  }
  await freezer.destroy({ timeoutMs });
}

async function endOneByOne(group: Cgroup, timeoutMs: number): Promise<void> {
  const end = performance.now() + timeoutMs;
  for (;;) {
    const left = group.processes({ below: true });
    if (left.length === 0 || performance.now() > end) return;
    for (const pid of left) kill(pid);
    await sleep(PAUSE_MS);
  }
}

function moveTo(group: Cgroup, pid: number): void {
  try {
    group.add(pid);
  } catch (error) {
    if (!(error instanceof CgroupError && error.errno === "ESRCH")) throw error;
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It ended meanwhile; the next round sees.
  }
}
