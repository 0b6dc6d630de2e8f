import { readdir, rmdir } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

const HIERARCHIES = "/sys/fs/cgroup";

/** Removes the control groups of this name, and those in them, from every hierarchy. Their processes have ended. */
export async function endCgroups(root: string): Promise<void> {
  for (const hierarchy of await readdir(HIERARCHIES)) await remove(join(HIERARCHIES, hierarchy, root));
  await remove(join(HIERARCHIES, root));
}

/** From the lowest up. A process that was killed may take a moment to leave; one that stays keeps its group. */
async function remove(group: string): Promise<void> {
  const below = await readdir(group, { withFileTypes: true }).catch(() => []);
  for (const entry of below) if (entry.isDirectory()) await remove(join(group, entry.name));
  for (let attempt = 0; attempt < 50; attempt++) {
    const code = await rmdir(group).then(
      () => undefined,
      (error: NodeJS.ErrnoException) => error.code,
    );
    if (code !== "EBUSY") return;
    await sleep(20);
  }
}
