import { constants } from "node:fs";
import { type FileHandle, open, readlink } from "node:fs/promises";
import { isWithin } from "./virtual-files.js";

/** Why a file is not read. `text` is Mesos's, as far as Mesos has one. */
export class FileRefusal extends Error {
  constructor(
    readonly status: 400 | 404,
    readonly text: string,
  ) {
    super(text);
  }
}

/**
 * Opens a regular file for reading. The owner of a sandbox may change it at any moment, so everything is asked of the open file: that it is
 * still within the root, and that it is no pipe or device, on which reading would wait for ever.
 *
 * @throws FileRefusal
 */
export async function openRegularFile(
  { real, root }: { readonly real: string; readonly root: string },
  verb: "read" | "download",
): Promise<FileHandle> {
  const flags = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW;
  const file = await open(real, flags).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT" || error.code === "ENOTDIR") throw new FileRefusal(404, "");
    if (error.code === "ELOOP") throw new FileRefusal(400, `'${real}' is inaccessible.\n`);
    // A socket cannot be opened at all.
    if (error.code === "ENXIO") throw new FileRefusal(400, `Cannot ${verb} what is no file.\n`);
    throw error;
  });
  try {
    const stats = await file.stat();
    if (stats.isDirectory()) throw new FileRefusal(400, `Cannot ${verb} a directory.\n`);
    if (!stats.isFile()) throw new FileRefusal(400, `Cannot ${verb} what is no file.\n`);
    const opened = (await readlink(`/proc/self/fd/${file.fd}`)).replace(/ \(deleted\)$/, "");
    if (!isWithin(opened, root)) throw new FileRefusal(400, `'${real}' is inaccessible.\n`);
    return file;
  } catch (error) {
    await file.close();
    throw error;
  }
}
