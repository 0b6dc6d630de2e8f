import { join } from "node:path";
import { errnoOf } from "./cgroup-error.js";
import { readControlIfAny, subdirectories } from "./control-file.js";

/** The numbers in a file of a group, ascending; with those of all groups below where asked for. */
export function idsIn(directory: string, file: string, below: boolean): number[] {
  const ids = new Set<number>();
  collect(directory, { file, below, ids });
  return [...ids].sort((a, b) => a - b);
}

interface Collection {
  readonly file: string;
  readonly below: boolean;
  readonly ids: Set<number>;
}

function collect(directory: string, collection: Collection): void {
  const text = readControlIfAny(join(directory, collection.file)) ?? "";
  for (const line of text.split("\n")) {
    // 0 stands for a process that this PID namespace does not see.
    if (line !== "" && line !== "0") collection.ids.add(Number(line));
  }
  if (!collection.below) return;
  for (const name of subdirectories(directory)) collect(join(directory, name), collection);
}

/** Sends SIGKILL to every process in the group and those below. How many there were. */
export function killAll(directory: string): number {
  const pids = idsIn(directory, "cgroup.procs", true);
  for (const pid of pids) {
    try {
      process.kill(pid, "SIGKILL");
    } catch (error) {
      if (errnoOf(error) !== "ESRCH") throw error;
    }
  }
  return pids.length;
}
