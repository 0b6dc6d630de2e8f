import { readdirSync, readFileSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { TAG_VARIABLE } from "./soak-task.js";

const HIERARCHIES = "/sys/fs/cgroup";

/** Pids of live processes whose environment contains the tag. */
export function processesOf(tag: string): number[] {
  const found: number[] = [];
  for (const name of readdirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    if (environmentOf(name).split("\0").includes(`${TAG_VARIABLE}=${tag}`)) found.push(Number(name));
  }
  return found;
}

/** Empty for a process that has ended, or is a zombie. */
function environmentOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/environ`, "utf8");
  } catch {
    return "";
  }
}

/** Cgroups of containers below this one, in all hierarchies. */
export async function groupsBelow(root: string): Promise<string[]> {
  const found: string[] = [];
  for (const hierarchy of await readdir(HIERARCHIES)) {
    const directory = join(HIERARCHIES, hierarchy, root);
    const entries = await readdir(directory, { withFileTypes: true }).catch(() => []);
    found.push(...entries.filter((entry) => entry.isDirectory()).map(({ name }) => join(directory, name)));
  }
  return found;
}
