import { accessSync, constants, existsSync } from "node:fs";
import { tmpdir } from "node:os";
import { packageRoot } from "./package-root.js";

/** Defaults that depend on the host, as text. */

export const webuiDir = `${packageRoot}/web`;

export const launcherDir = `${packageRoot}/bin`;

export const tmp = (folder: string): string => `${tmpdir()}/mesos/${folder}`;

/** `/var/run/mesos` if it is writable, as it usually is for root. */
export const runtimeDir = writable("/var/run") ? "/var/run/mesos" : tmp("runtime");

/**
 * As in Mesos, `linux` wherever it works: for root, if processes can be frozen by cgroup. Assumes the host's usual mounts; with another
 * `--cgroups_hierarchy`, set `--launcher` as well.
 */
export const launcher =
  process.platform === "linux" &&
  process.geteuid?.() === 0 &&
  (writable("/sys/fs/cgroup/freezer") || existsSync("/sys/fs/cgroup/cgroup.controllers"))
    ? "linux"
    : "posix";

function writable(path: string): boolean {
  try {
    accessSync(path, constants.W_OK | constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
