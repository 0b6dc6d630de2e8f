import { execFile } from "node:child_process";
import { readFile, realpath } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { promisify } from "node:util";
import { messageOf } from "../../../sdk/errors/index.js";

const run = promisify(execFile);

/** Mount points at or below `path`, in a text in the format of `/proc/self/mountinfo`, deepest first. */
export function mountsBelow(mountinfo: string, path: string): string[] {
  const below: string[] = [];
  for (const line of mountinfo.split("\n")) {
    const target = line
      .split(" ")[4]
      ?.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
    if (target !== undefined && (target === path || target.startsWith(`${path}/`))) below.push(target);
  }
  // A later mount may lie on top of or inside an earlier one.
  return below.reverse();
}

/** Unmounts everything mounted at or below this path. Rejects, naming the mount, if something stays mounted. */
export async function detachMounts(path: string): Promise<void> {
  let table: string;
  try {
    table = await readFile("/proc/self/mountinfo", "utf8");
  } catch {
    // This system does not list its mounts.
    return;
  }
  const real = join(await realpath(dirname(path)), basename(path));
  for (const target of mountsBelow(table, real)) {
    try {
      await run("umount", ["--", target]);
    } catch (error) {
      throw new Error(`'${target}' is mounted inside and cannot be unmounted: ${messageOf(error).trim()}`);
    }
  }
}
