import { chmod, lstat, realpath } from "node:fs/promises";
import { dirname } from "node:path";
import { makeDirectory } from "../../sdk/files/index.js";

const WORLD_WRITABLE = 0o002;
const STICKY = 0o1000;

/**
 * Makes a directory that only this user can enter, and rejects where somebody else could put another in its place: programs
 * that many users run come from there, and its default lies in the directory for everybody's temporary files.
 */
export async function checkedDirectory(path: string): Promise<void> {
  await makeDirectory(path, 0o755);
  const own = process.geteuid?.();
  const real = await realpath(path);
  for (let at = real; ; at = dirname(at)) {
    const { uid, mode } = await lstat(at);
    if (own !== undefined && uid !== 0 && uid !== own) throw new Error(`'${at}' belongs to another user`);
    if ((mode & WORLD_WRITABLE) !== 0 && (mode & STICKY) === 0)
      throw new Error(`'${at}' can be changed by everybody`);
    if (at === dirname(at)) break;
  }
  await chmod(real, 0o700);
}
