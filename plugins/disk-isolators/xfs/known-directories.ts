import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { errnoOf } from "../../../sdk/errors/index.js";

/** Every sandbox below an agent's work directory, of containers that run and of those that ended. */
export const sandboxDirectories = (workDir: string): Promise<string[]> =>
  expand(join(workDir, "slaves"), ["*", "frameworks", "*", "executors", "*", "runs", "*"]);

/** Every persistent volume below a work directory or the root of a disk. */
export const volumeDirectories = (root: string): Promise<string[]> =>
  expand(join(root, "volumes", "roles"), ["*", "*"]);

/** Directories that a pattern of names leads to; never through a link, such as `latest`. */
async function expand(directory: string, [name, ...rest]: readonly string[]): Promise<string[]> {
  if (name === undefined) return [directory];
  if (name !== "*") return expand(join(directory, name), rest);
  const entries = await readdir(directory, { withFileTypes: true }).catch((error: unknown) => {
    if (errnoOf(error) === "ENOENT") return [];
    throw error;
  });
  const found: string[] = [];
  for (const entry of entries)
    if (entry.isDirectory()) found.push(...(await expand(join(directory, entry.name), rest)));
  return found;
}
