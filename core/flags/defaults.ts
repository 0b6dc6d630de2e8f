import { accessSync, constants } from "node:fs";
import { tmpdir } from "node:os";
import { packageRoot } from "./package-root.js";

/** Defaults that depend on the host, as text. */

export const webuiDir = `${packageRoot}/web`;

export const launcherDir = `${packageRoot}/bin`;

export const tmp = (folder: string): string => `${tmpdir()}/mesos/${folder}`;

/** `/var/run/mesos` where that can be written, as root usually can. */
export const runtimeDir = writable("/var/run") ? "/var/run/mesos" : tmp("runtime");

function writable(path: string): boolean {
  try {
    accessSync(path, constants.W_OK | constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
