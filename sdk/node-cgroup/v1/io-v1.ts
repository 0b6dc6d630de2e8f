import { readdirSync } from "node:fs";
import { join } from "node:path";
import { failure, readControl } from "../control-file.js";
import type { DeviceNumber, IoControl, IoCount, IoDeviceStat, IoOperation, IoStat } from "../controls.js";

/** Which list of a device's statistics a file fills, by the end of its name. */
const LISTS = {
  io_serviced: "serviced",
  io_service_bytes: "serviceBytes",
  io_service_time: "serviceTime",
  io_wait_time: "waitTime",
  io_merged: "merged",
  io_queued: "queued",
} as const;

/** Files of one bare number a device. */
const NUMBERS = { time: "time", sectors: "sectors" } as const;

const isList = (name: string): name is keyof typeof LISTS => Object.hasOwn(LISTS, name);
const isNumber = (name: string): name is keyof typeof NUMBERS => Object.hasOwn(NUMBERS, name);

export class IoV1 implements IoControl {
  constructor(readonly directory: string) {}

  stat(): IoStat {
    const throttling = new Devices();
    const scheduler = new Devices();
    const schedulerRecursive = new Devices();
    for (const file of this.#files()) {
      const parts = /^blkio\.(throttle\.|bfq\.)?(\w+?)(_recursive)?$/.exec(file);
      if (parts === null) continue;
      const [, policy, name, recursive] = parts;
      // The recursive form of the throttling statistics is what v2 calls the plain one, and has no reader.
      if (policy === "throttle." && recursive !== undefined) continue;
      const devices =
        policy === "throttle." ? throttling : recursive === undefined ? scheduler : schedulerRecursive;
      if (isList(name!) || isNumber(name!)) devices.add(name, readControl(join(this.directory, file)));
    }
    return {
      throttling: throttling.all(),
      scheduler: scheduler.all(),
      schedulerRecursive: schedulerRecursive.all(),
    };
  }

  #files(): string[] {
    try {
      return readdirSync(this.directory);
    } catch (cause) {
      throw failure("cannot list", { file: this.directory, cause });
    }
  }
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] extends readonly (infer E)[] ? E[] : T[K] };

/** Statistics by device, of all devices together last. */
class Devices {
  readonly #byName = new Map<string, Mutable<IoDeviceStat>>();

  /** Lines are `8:0 Read 12`, `8:0 12` or `Total 12`. */
  add(name: keyof typeof LISTS | keyof typeof NUMBERS, text: string): void {
    for (const line of text.split("\n")) {
      const words = line.split(" ");
      const value = Number(words.at(-1));
      if (words.length < 2) continue;
      const device = words[0]!.includes(":") ? words[0]! : "";
      const operation = words.length === 3 || device === "" ? (words.at(-2) as IoOperation) : undefined;
      const stat = this.#of(device);
      if (isNumber(name)) stat[NUMBERS[name]] = value;
      else
        stat[LISTS[name]].push(
          operation === undefined ? { value } : ({ operation, value } satisfies IoCount),
        );
    }
  }

  #of(name: string): Mutable<IoDeviceStat> {
    const known = this.#byName.get(name);
    if (known !== undefined) return known;
    const stat: Mutable<IoDeviceStat> = emptyIoStat(name === "" ? undefined : deviceNumber(name));
    this.#byName.set(name, stat);
    return stat;
  }

  all(): IoDeviceStat[] {
    return [...this.#byName].sort(([a], [b]) => Number(a === "") - Number(b === "")).map(([, stat]) => stat);
  }
}

function emptyIoStat(device: DeviceNumber | undefined): Mutable<IoDeviceStat> {
  return {
    ...(device !== undefined && { device }),
    serviced: [],
    serviceBytes: [],
    serviceTime: [],
    waitTime: [],
    merged: [],
    queued: [],
  };
}

function deviceNumber(text: string): DeviceNumber {
  const [major, minor] = text.split(":").map(Number);
  return { major: major!, minor: minor! };
}
