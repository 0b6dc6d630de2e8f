import { mkdir, stat } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { errnoOf } from "../errors/index.js";

/**
 * Makes a directory and those above it that are missing. Resolves for one that is there. Like Node's own `recursive`, which below
 * a directory that takes no entries, such as `/proc`, never comes to an end.
 *
 * @param mode of those that are made
 */
export async function makeDirectory(path: string, mode = 0o777): Promise<void> {
  const missing: string[] = [];
  let at = resolve(path);
  while (!(await made(at, mode))) {
    missing.push(at);
    at = dirname(at);
  }
  for (const directory of missing.reverse()) {
    if (!(await made(directory, mode))) throw new Error(`'${dirname(directory)}' takes no directories`);
  }
}

/** False: the one above is missing. */
async function made(path: string, mode: number): Promise<boolean> {
  try {
    await mkdir(path, { mode });
    return true;
  } catch (error) {
    if (errnoOf(error) === "ENOENT" && dirname(path) !== path) return false;
    // Whatever else is wrong does not matter where it is there: a file system may be read-only, or somebody else's.
    if (await isDirectory(path)) return true;
    throw error;
  }
}

async function isDirectory(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch {
    return false;
  }
}
