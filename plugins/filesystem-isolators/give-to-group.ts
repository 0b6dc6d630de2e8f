import { constants } from "node:fs";
import { type FileHandle, lchown, lstat, open, readdir } from "node:fs/promises";
import { errnoOf } from "../../sdk/errors/index.js";

/**
 * Gives a directory and all in it to a group: directories become writable for the group, and what is made in them later belongs to
 * it too. Their owners may change things meanwhile, so no symbolic link is followed, nor another file system entered.
 */
export async function giveToGroup(path: string, gid: number): Promise<void> {
  const directory = await open(path, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
  try {
    await giveDirectory(directory, { gid, device: (await directory.stat()).dev });
  } finally {
    await directory.close();
  }
}

async function giveDirectory(
  directory: FileHandle,
  { gid, device }: { gid: number; device: number },
): Promise<void> {
  const { uid, mode, dev } = await directory.stat();
  if (dev !== device) return;
  await directory.chown(uid, gid);
  // After the change of owner, which takes such bits away.
  await directory.chmod((mode & 0o7777) | 0o2020);
  const place = `/proc/self/fd/${directory.fd}`;
  for (const name of await readdir(place)) {
    try {
      await giveEntry(`${place}/${name}`, { gid, device });
    } catch (error) {
      // Gone, or replaced, since it was listed.
      if (!GONE.has(errnoOf(error))) throw error;
    }
  }
}

async function giveEntry(path: string, to: { gid: number; device: number }): Promise<void> {
  const entry = await lstat(path);
  if (!entry.isDirectory()) {
    await lchown(path, entry.uid, to.gid);
    return;
  }
  const directory = await open(path, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
  try {
    await giveDirectory(directory, to);
  } finally {
    await directory.close();
  }
}

const GONE: ReadonlySet<string | undefined> = new Set(["ENOENT", "ENOTDIR", "ELOOP"]);
