import { accessSync, constants, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { errnoOf, messageOf, TepuiError } from "../../sdk/errors/index.js";
import { DirectoryLock, makeDirectory } from "../../sdk/files/index.js";

/** Throws TEPUI_AGENT_WORK_DIR_UNUSABLE where the directory, or the one in which it is to be made, cannot be written. Makes nothing. */
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

/** Of what an agent remembers. */
export const memoryDirectory = (workDirectory: string): string => join(workDirectory, "meta");

/** Keeps a second agent, and who would restore a backup, out of what an agent remembers. Rejects where another process has it. */
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
    // Anything else is told by who looks next.
    return errnoOf(error) !== "ENOENT";
  }
}

const unusable = (path: string, cause: unknown): TepuiError =>
  new TepuiError("TEPUI_AGENT_WORK_DIR_UNUSABLE", { detail: `'${path}': ${messageOf(cause)}`, cause });
