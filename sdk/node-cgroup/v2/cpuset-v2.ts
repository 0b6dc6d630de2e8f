import { join } from "node:path";
import { readControl, writeControl } from "../control-file.js";
import type { Cpuset, CpusetControl } from "../controls.js";

export class CpusetV2 implements CpusetControl {
  constructor(readonly directory: string) {}

  set({ cpus, mems }: Partial<Cpuset>): void {
    if (cpus !== undefined) writeControl(join(this.directory, "cpuset.cpus"), cpus);
    if (mems !== undefined) writeControl(join(this.directory, "cpuset.mems"), mems);
  }

  get(): Cpuset {
    return {
      cpus: readControl(join(this.directory, "cpuset.cpus.effective")),
      mems: readControl(join(this.directory, "cpuset.mems.effective")),
    };
  }
}
