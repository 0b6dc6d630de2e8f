import { join } from "node:path";
import { CgroupError } from "../cgroup-error.js";
import { readControl, writeControl } from "../control-file.js";
import type { DeviceRule, DevicesControl } from "../controls.js";
import { mergeDeviceRules } from "../device-rules.js";

/** Before the first change. */
const EVERYTHING = "a *:* rwm";

export class DevicesV1 implements DevicesControl {
  constructor(readonly directory: string) {}

  async set(rules: readonly DeviceRule[]): Promise<void> {
    this.#change(mergeDeviceRules(rules));
  }

  #change(wanted: ReadonlyMap<string, string>): void {
    const list = readControl(join(this.directory, "devices.list"));
    if (list === EVERYTHING) this.#denyAll();
    const present = new Map(list === EVERYTHING ? [] : parseList(list));
    for (const [device, access] of present)
      this.#write("devices.deny", device, without(access, wanted.get(device)));
    for (const [device, access] of wanted)
      this.#write("devices.allow", device, without(access, present.get(device)));
  }

  #denyAll(): void {
    try {
      writeControl(join(this.directory, "devices.deny"), "a");
    } catch (error) {
      if (!(error instanceof CgroupError) || error.errno !== "EINVAL") throw error;
      const message = `${error.message}: groups below are in the way, the first rules are to be set before there are any`;
      throw new CgroupError(message, {
        file: error.file,
        value: error.value,
        errno: error.errno,
        cause: error,
      });
    }
  }

  #write(file: string, device: string, access: string): void {
    if (access !== "") writeControl(join(this.directory, file), `${device} ${access}`);
  }
}

/** `c 1:3 rw` is access `rw` to the device `c 1:3`. */
function parseList(list: string): [device: string, access: string][] {
  return list
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => line.split(" "))
    .map(([type, number, access]) => [`${type} ${number}`, access!]);
}

const without = (access: string, taken = ""): string =>
  [...access].filter((letter) => !taken.includes(letter)).join("");
