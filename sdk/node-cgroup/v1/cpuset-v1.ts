import { dirname, join } from "node:path";
import { readControl, writeControl } from "../control-file.js";
import type { Cpuset, CpusetControl } from "../controls.js";

const LISTS = ["cpuset.cpus", "cpuset.mems"];

/**
 * Gives a group, and those above it, CPUs and memory nodes where they have none yet: without, no process may join. Those above also
 * pass theirs on from now on to groups made in them; false where the parent does not, being the root.
 */
export function readyCpuset(mountPoint: string, directory: string): boolean {
  const parent = dirname(directory);
  const isBelowRoot = parent !== mountPoint;
  if (isBelowRoot) {
    readyCpuset(mountPoint, parent);
    writeControl(join(parent, "cgroup.clone_children"), 1);
  }
  for (const file of LISTS) {
    if (readControl(join(directory, file)) === "")
      writeControl(join(directory, file), readControl(join(parent, file)));
  }
  return isBelowRoot;
}

export class CpusetV1 implements CpusetControl {
  constructor(readonly directory: string) {}

  set({ cpus, mems }: Partial<Cpuset>): void {
    if (cpus !== undefined) writeControl(join(this.directory, "cpuset.cpus"), cpus);
    if (mems !== undefined) writeControl(join(this.directory, "cpuset.mems"), mems);
  }

  get(): Cpuset {
    return {
      cpus: readControl(join(this.directory, "cpuset.cpus")),
      mems: readControl(join(this.directory, "cpuset.mems")),
    };
  }
}
