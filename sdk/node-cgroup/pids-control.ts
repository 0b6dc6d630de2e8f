import { join } from "node:path";
import { readCounters, readLimit, readNumber, writeControl } from "./control-file.js";
import type { PidsControl } from "./controls.js";

/** Both versions have the same files. */
export class Pids implements PidsControl {
  constructor(readonly directory: string) {}

  setLimit(count: number | undefined): void {
    writeControl(join(this.directory, "pids.max"), count ?? "max");
  }

  limit(): number | undefined {
    return readLimit(join(this.directory, "pids.max"));
  }

  current(): number {
    return readNumber(join(this.directory, "pids.current"));
  }

  refusals(): number {
    return readCounters(join(this.directory, "pids.events")).max ?? 0;
  }
}
