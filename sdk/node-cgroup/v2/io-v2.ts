import { join } from "node:path";
import { readControl } from "../control-file.js";
import type { IoControl, IoCount, IoDeviceStat, IoStat } from "../controls.js";

export class IoV2 implements IoControl {
  constructor(readonly directory: string) {}

  stat(): IoStat {
    return {
      throttling: parseIoStat(readControl(join(this.directory, "io.stat"))),
      scheduler: [],
      schedulerRecursive: [],
    };
  }
}

/** Lines are `8:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=5 dios=6`; a device that did nothing may have its number alone. */
export function parseIoStat(text: string): IoDeviceStat[] {
  return text
    .split("\n")
    .map((line) => line.trim().split(" "))
    .filter(([device, ...fields]) => /^\d+:\d+$/.test(device!) && fields.length > 0)
    .map(([device, ...fields]) => {
      const [major, minor] = device!.split(":").map(Number);
      const counts = new Map(fields.map((field) => field.split("=") as [string, string]));
      const value = (name: string): number => Number(counts.get(name) ?? 0);
      return {
        device: { major: major!, minor: minor! },
        serviced: byOperation(value("rios"), value("wios"), value("dios")),
        serviceBytes: byOperation(value("rbytes"), value("wbytes"), value("dbytes")),
        serviceTime: [],
        waitTime: [],
        merged: [],
        queued: [],
      };
    });
}

const byOperation = (read: number, write: number, discard: number): IoCount[] => [
  { operation: "Read", value: read },
  { operation: "Write", value: write },
  { operation: "Discard", value: discard },
  { operation: "Total", value: read + write + discard },
];
