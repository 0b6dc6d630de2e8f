import { execFile } from "node:child_process";
import { promisify } from "node:util";

const run = promisify(execFile);

/** Removes these trees, which may be large, without leaving their file system. Not an error: those that are not there. */
export async function removeAll(paths: readonly string[]): Promise<void> {
  if (paths.length === 0) return;
  await run("rm", ["-rf", "--one-file-system", "--", ...paths]);
}
