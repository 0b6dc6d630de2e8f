import { accessSync, constants } from "node:fs";
import { tmpdir } from "node:os";
import { fileURLToPath } from "node:url";

/** Defaults that depend on the host, as text. */

/** Root of the installed package; this file lies three folders below it (`dist/core/flags`). */
const packageRoot = fileURLToPath(new URL("../../../", import.meta.url)).replace(/\/$/, "");

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
