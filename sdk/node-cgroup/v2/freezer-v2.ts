import { existsSync } from "node:fs";
import { join } from "node:path";
import { CgroupError } from "../cgroup-error.js";
import { isAbsent, parseCounters, readControlIfAny, subdirectories, writeControl } from "../control-file.js";
import { idsIn, killAll } from "../processes.js";
import { holdsBefore } from "../waiting.js";

/** How long to wait for processes to stand still before they are killed as they run: Linux before 5.14. */
const FREEZE_BEFORE_KILL_MS = 200;

export async function freezeV2(directory: string, deadline: number): Promise<void> {
  const file = join(directory, "cgroup.freeze");
  writeControl(file, 1);
  if (await holdsBefore(deadline, () => eventsOf(directory).frozen !== 0)) return;
  thawV2(directory);
  throw new CgroupError(`the processes in ${directory} did not come to a standstill`, {
    file,
    value: "1",
    errno: "ETIMEDOUT",
  });
}

/** With the groups below, which may have been frozen by themselves. */
export function thawV2(directory: string): void {
  if (!writeIfThere(join(directory, "cgroup.freeze"), "0")) return;
  for (const name of subdirectories(directory)) thawV2(join(directory, name));
}

export async function killV2(directory: string, deadline: number): Promise<void> {
  const isEmpty = (): boolean => (eventsOf(directory).populated ?? 0) === 0;
  if (isEmpty()) return;
  const kill = join(directory, "cgroup.kill");
  if (existsSync(kill)) writeIfThere(kill, "1");
  else await killFrozen(directory, deadline);
  if (await holdsBefore(deadline, isEmpty)) return;
  const left = idsIn(directory, "cgroup.procs", true);
  throw new CgroupError(
    `${left.length} processes in ${directory} outlive SIGKILL, the first being ${left.slice(0, 5).join(", ")}`,
    { file: directory, errno: "ETIMEDOUT" },
  );
}

async function killFrozen(directory: string, deadline: number): Promise<void> {
  while (idsIn(directory, "cgroup.procs", true).length > 0 && performance.now() < deadline) {
    if (!writeIfThere(join(directory, "cgroup.freeze"), "1")) return;
    const soon = Math.min(deadline, performance.now() + FREEZE_BEFORE_KILL_MS);
    await holdsBefore(soon, () => eventsOf(directory).frozen !== 0);
    killAll(directory);
    thawV2(directory);
  }
}

/** `populated` and `frozen`, each 0 or 1; empty when the group is gone. */
const eventsOf = (directory: string): Record<string, number> =>
  parseCounters(readControlIfAny(join(directory, "cgroup.events")) ?? "");

function writeIfThere(file: string, value: string): boolean {
  try {
    writeControl(file, value);
    return true;
  } catch (error) {
    if (error instanceof CgroupError && isAbsent(error.errno)) return false;
    throw error;
  }
}
