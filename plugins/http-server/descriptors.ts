import { readFileSync } from "node:fs";

/** Of the descriptors that a process may have; the rest is for files, programs, and connections of its own. */
const CONNECTIONS_SHARE = 3 / 4;

/** How many connections a process may take by its limit of open files; infinite where that is not known. */
export function roomForConnections(limits = ownLimits()): number {
  const [, found] = /^Max open files +(\d+)/m.exec(limits) ?? [];
  return found === undefined
    ? Number.POSITIVE_INFINITY
    : Math.max(1, Math.floor(Number(found) * CONNECTIONS_SHARE));
}

/** Empty where the system has no such file. */
function ownLimits(): string {
  try {
    return readFileSync("/proc/self/limits", "utf8");
  } catch {
    return "";
  }
}
