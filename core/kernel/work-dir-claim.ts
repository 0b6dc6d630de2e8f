import { TepuiError } from "../../sdk/errors/index.js";
import { DirectoryLock, makeDirectory } from "../../sdk/files/index.js";
import type { Host } from "../../sdk/plugin/index.js";

/**
 * Keeps a second daemon of the same kind out of the work directory; a master and an agent may share one. Resolves to a function that ends
 * the claim.
 *
 * @throws TepuiError TEPUI_WORK_DIR_IN_USE
 */
export async function claimWorkDir({ workDir, target }: Host): Promise<() => Promise<void>> {
  if (workDir === undefined || !(await isThere(workDir))) return async () => {};
  try {
    const lock = await DirectoryLock.take(workDir, target);
    return () => lock.release();
  } catch (cause) {
    throw new TepuiError("TEPUI_WORK_DIR_IN_USE", { detail: `${target}, '${workDir}'`, cause });
  }
}

/** A directory that cannot be created is reported by whoever needs it; not every daemon does. */
const isThere = (path: string): Promise<boolean> =>
  makeDirectory(path).then(
    () => true,
    () => false,
  );
