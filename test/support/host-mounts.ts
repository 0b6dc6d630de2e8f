import { readFileSync } from "node:fs";
import { tmpdir } from "node:os";

/** The host's mounts, one a line, without those that other tests have below the directory for temporary files, or make for control groups. */
export function hostMounts(...own: readonly string[]): string[] {
  const others = (target: string): boolean =>
    target.startsWith("/sys/fs/cgroup") ||
    (target.startsWith(`${tmpdir()}/`) && !own.some((directory) => target.startsWith(directory)));
  return readFileSync("/proc/self/mountinfo", "utf8")
    .split("\n")
    .filter((line) => !others(line.split(" ")[4] ?? ""));
}
