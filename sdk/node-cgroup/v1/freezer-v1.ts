import { join } from "node:path";
import { CgroupError } from "../cgroup-error.js";
import { isAbsent, readControlIfAny, subdirectories, writeControl } from "../control-file.js";
import { idsIn, killAll } from "../processes.js";
import { holdsBefore } from "../waiting.js";

/** How long to wait for processes to stand still before they are killed as they run. */
const FREEZE_BEFORE_KILL_MS = 200;

/** How long they have to end before all is tried again. */
const END_AFTER_KILL_MS = 500;

export async function freezeV1(directory: string, deadline: number): Promise<void> {
  if (!(await isFrozenBefore(directory, deadline))) {
    thawV1(directory);
    throw new CgroupError(`the processes in ${directory} did not come to a standstill`, {
      file: join(directory, "freezer.state"),
      value: "FROZEN",
      errno: "ETIMEDOUT",
    });
  }
}

/** Asked anew each time: a process may be forked, or just be unable to stop, while the others are stopped. */
function isFrozenBefore(directory: string, deadline: number): Promise<boolean> {
  const file = join(directory, "freezer.state");
  return holdsBefore(deadline, () => {
    writeControl(file, "FROZEN");
    const state = readControlIfAny(file);
    return state === "FROZEN" || state === undefined;
  });
}

/** With the groups below, which may have been frozen by themselves. */
export function thawV1(directory: string): void {
  try {
    writeControl(join(directory, "freezer.state"), "THAWED");
  } catch (error) {
    if (error instanceof CgroupError && isAbsent(error.errno)) return;
    throw error;
  }
  for (const name of subdirectories(directory)) thawV1(join(directory, name));
}

/**
 * While all stand still none can fork, so that the list of processes is complete. A process that cannot stop, for example one that waits
 * for a device, must not keep the others alive: then they are killed as they run, again and again.
 */
export async function killV1(directory: string, deadline: number): Promise<void> {
  const isEmpty = (): boolean => idsIn(directory, "cgroup.procs", true).length === 0;
  while (!isEmpty()) {
    const now = performance.now();
    try {
      await isFrozenBefore(directory, Math.min(deadline, now + FREEZE_BEFORE_KILL_MS));
      killAll(directory);
    } catch (error) {
      if (!(error instanceof CgroupError) || !isAbsent(error.errno)) throw error;
    } finally {
      thawV1(directory);
    }
    if (await holdsBefore(Math.min(deadline, performance.now() + END_AFTER_KILL_MS), isEmpty)) return;
    if (performance.now() >= deadline) throw stillAlive(directory);
  }
}

function stillAlive(directory: string): CgroupError {
  const left = idsIn(directory, "cgroup.procs", true);
  return new CgroupError(
    `${left.length} processes in ${directory} outlive SIGKILL, the first being ${left.slice(0, 5).join(", ")}`,
    { file: directory, errno: "ETIMEDOUT" },
  );
}
