import { CgroupError } from "./cgroup-error.js";
import type { DeviceRule } from "./controls.js";

/** Device numbers have 12 and 20 bits. */
const MOST = 0x7fff_ffff;

/** What is allowed of each device: `c 1:3` -> `rwm`, letters in this order, `*` for any number. */
export function mergeDeviceRules(rules: readonly DeviceRule[]): Map<string, string> {
  const merged = new Map<string, string>();
  for (const rule of rules) {
    check(rule);
    for (const type of rule.type === "a" ? ["b", "c"] : [rule.type]) {
      const device = `${type} ${rule.major ?? "*"}:${rule.minor ?? "*"}`;
      const letters = rule.access + (merged.get(device) ?? "");
      merged.set(device, [..."rwm"].filter((letter) => letters.includes(letter)).join(""));
    }
  }
  return merged;
}

function check(rule: DeviceRule): void {
  const isNumber = (value: number | undefined): boolean =>
    value === undefined || (Number.isInteger(value) && value >= 0 && value <= MOST);
  if (!/^[rwm]+$/.test(rule.access) || !isNumber(rule.major) || !isNumber(rule.minor))
    throw new CgroupError(`not a device rule: ${JSON.stringify(rule)}`, { errno: "EINVAL" });
}
