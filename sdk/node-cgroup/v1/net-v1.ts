import { join } from "node:path";
import { readCounters, readNumber, writeControl } from "../control-file.js";
import type { NetClsControl, NetPrioControl } from "../controls.js";

export class NetClsV1 implements NetClsControl {
  readonly #file: string;

  constructor(directory: string) {
    this.#file = join(directory, "net_cls.classid");
  }

  setClassId(classId: number): void {
    writeControl(this.#file, classId);
  }

  classId(): number {
    return readNumber(this.#file);
  }
}

export class NetPrioV1 implements NetPrioControl {
  readonly #file: string;

  constructor(directory: string) {
    this.#file = join(directory, "net_prio.ifpriomap");
  }

  setPriority(networkInterface: string, priority: number): void {
    writeControl(this.#file, `${networkInterface} ${priority}`);
  }

  priorities(): Readonly<Record<string, number>> {
    return readCounters(this.#file);
  }
}
