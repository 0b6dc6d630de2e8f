import { rmdirSync } from "node:fs";
import { join } from "node:path";
import { CgroupError, errnoOf } from "./cgroup-error.js";
import { failure, subdirectories } from "./control-file.js";
import { idsIn } from "./processes.js";
import { holdsBefore } from "./waiting.js";

/** Removes a group's directory and those below it, as soon as their processes have ended. */
export async function removeTree(directory: string, deadline: number): Promise<void> {
  // What the kernel has still to take apart keeps it busy for some milliseconds, without any process to be seen.
  if (await holdsBefore(deadline, () => isRemoved(directory))) return;
  const left = idsIn(directory, "cgroup.procs", true);
  const holders =
    left.length === 0 ? "something" : `${left.length} processes (${left.slice(0, 5).join(", ")})`;
  throw new CgroupError(`cannot remove ${directory}: ${holders} left in it (EBUSY)`, {
    file: directory,
    errno: "EBUSY",
  });
}

/** Most groups have none below: it is tried before anything is looked for. */
export function isRemoved(directory: string): boolean {
  if (isGoneAfterRemoval(directory)) return true;
  const names = subdirectories(directory);
  // Not `every`: one that is busy is no reason to leave the others.
  const removed = names.map((name) => isRemoved(join(directory, name)));
  return names.length > 0 && !removed.includes(false) && isGoneAfterRemoval(directory);
}

/** False when it is busy: it holds processes or groups. */
function isGoneAfterRemoval(directory: string): boolean {
  try {
    rmdirSync(directory);
    return true;
  } catch (cause) {
    const errno = errnoOf(cause);
    if (errno === "ENOENT") return true;
    if (errno === "EBUSY" || errno === "ENOTEMPTY") return false;
    throw failure("cannot remove", { file: directory, cause });
  }
}
