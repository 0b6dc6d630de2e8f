import { accessSync, constants, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { errnoOf, messageOf, TepuiError } from "../../sdk/errors/index.js";
import { DirectoryLock, makeDirectory } from "../../sdk/files/index.js";

/** Throws TEPUI_AGENT_WORK_DIR_UNUSABLE if the directory, or the parent in which it would be created, cannot be written. Creates nothing. */
export function checkWorkDirectory(path: string): void {
  let at = path;
  while (!exists(at)) at = dirname(at);
  try {
    if (!statSync(at).isDirectory()) throw new Error(`'${at}' is not a directory`);
    accessSync(at, constants.W_OK | constants.X_OK);
  } catch (error) {
    throw unusable(path, error);
  }
}

export async function makeWorkDirectory(path: string): Promise<void> {
  try {
    await makeDirectory(path);
  } catch (error) {
    throw unusable(path, error);
  }
}

/** The directory of what an agent remembers. */
export const memoryDirectory = (workDirectory: string): string => join(workDirectory, "meta");

/** Keeps a second agent, or somebody who restores a backup, out of what an agent remembers. Rejects if another process holds the lock. */
export async function lockMemory(workDirectory: string): Promise<DirectoryLock> {
  const meta = memoryDirectory(workDirectory);
  await makeDirectory(meta);
  return DirectoryLock.take(meta);
}

function exists(path: string): boolean {
  try {
    statSync(path);
    return true;
  } catch (error) {
    // Other problems are reported by whoever accesses it next.
    return errnoOf(error) !== "ENOENT";
  }
}

const unusable = (path: string, cause: unknown): TepuiError =>
  new TepuiError("TEPUI_AGENT_WORK_DIR_UNUSABLE", { detail: `'${path}': ${messageOf(cause)}`, cause });
