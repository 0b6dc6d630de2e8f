import { constants } from "node:fs";
import { type FileHandle, open, readlink } from "node:fs/promises";
import { isWithin } from "./is-within.js";
import { noSuchFile, refused } from "./refusals.js";

/**
 * Opens a regular file for reading. The owner of a sandbox may change it at any moment, so everything is asked of the open file: that it is
 * still within the root, and that it is no pipe or device, on which reading would wait for ever.
 *
 * @throws TepuiError TEPUI_FILE_UNKNOWN, TEPUI_FILE_REQUEST_INVALID
 */
export async function openRegularFile(
  { real, root }: { readonly real: string; readonly root: string },
  verb: "read" | "download",
): Promise<FileHandle> {
  const flags = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW;
  const file = await open(real, flags).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT" || error.code === "ENOTDIR") throw noSuchFile();
    if (error.code === "ELOOP") throw refused(`'${real}' is inaccessible`);
    // A socket cannot be opened at all.
    if (error.code === "ENXIO") throw refused(`Cannot ${verb} what is no file`);
    throw error;
  });
  try {
    const stats = await file.stat();
    if (stats.isDirectory()) throw refused(`Cannot ${verb} a directory`);
    if (!stats.isFile()) throw refused(`Cannot ${verb} what is no file`);
    const opened = (await readlink(`/proc/self/fd/${file.fd}`)).replace(/ \(deleted\)$/, "");
    if (!isWithin(opened, root)) throw refused(`'${real}' is inaccessible`);
    return file;
  } catch (error) {
    await file.close();
    throw error;
  }
}
