import { lstat, readdir, rmdir, unlink } from "node:fs/promises";
import { join } from "node:path";
import { errnoOf } from "../../sdk/errors/index.js";
import { runProgram } from "./processes.js";

/** A container that has not written much leaves a few directories: starting a program would cost more than removing them. */
const SMALL = 64;

class TooLarge extends Error {}

/**
 * Removes a directory with all that is in it, without leaving its file system. Not an error: one that is not there.
 *
 * @throws Error with what rm says
 */
export async function removeTree(directory: string): Promise<void> {
  let device: number;
  try {
    const found = await lstat(directory);
    // A link in its place leads to what is none of ours.
    if (!found.isDirectory()) return await unlink(directory);
    device = found.dev;
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return;
    throw error;
  }
  try {
    await removeSmall(directory, { left: SMALL, device });
  } catch (error) {
    // Whatever it was: rm tries everything, and says what is the matter.
    const { status, complaint } = await runProgram("rm", ["-rf", "--one-file-system", "--", directory]);
    if (status !== 0) throw new Error(complaint, { cause: error });
  }
}

async function removeSmall(
  directory: string,
  budget: { left: number; readonly device: number },
): Promise<void> {
  const entries = await readdir(directory, { withFileTypes: true });
  budget.left -= entries.length;
  if (budget.left < 0) throw new TooLarge();
  const removals = entries.map(async (entry) => {
    const path = join(directory, entry.name);
    if (!entry.isDirectory()) await unlink(path);
    else if ((await lstat(path)).dev === budget.device) await removeSmall(path, budget);
    else throw new TooLarge();
  });
  // All of them, so that none goes on when rm begins.
  const failed = (await Promise.allSettled(removals)).find(({ status }) => status === "rejected");
  if (failed?.status === "rejected") throw failed.reason;
  await rmdir(directory);
}
