import { readdir, rmdir } from "node:fs/promises";
import { join } from "node:path";

const HIERARCHIES = "/sys/fs/cgroup";

/** Removes the control groups of this name, and those in them, from every hierarchy. Their processes have ended. */
export async function endCgroups(root: string): Promise<void> {
  for (const hierarchy of await readdir(HIERARCHIES)) await remove(join(HIERARCHIES, hierarchy, root));
  await remove(join(HIERARCHIES, root));
}

/** From the lowest up; one that is missing, or in use, stays as it is. */
async function remove(group: string): Promise<void> {
  const below = await readdir(group, { withFileTypes: true }).catch(() => []);
  for (const entry of below) if (entry.isDirectory()) await remove(join(group, entry.name));
  await rmdir(group).catch(() => undefined);
}
