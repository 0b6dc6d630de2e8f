import { constants } from "node:fs";
import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import type { FileInfo } from "../../proto/gen/mesos/v1/mesos.js";

const KINDS: ReadonlyMap<number, string> = new Map([
  [constants.S_IFDIR, "d"],
  [constants.S_IFCHR, "c"],
  [constants.S_IFBLK, "b"],
  [constants.S_IFIFO, "p"],
  [constants.S_IFLNK, "l"],
  [constants.S_IFSOCK, "s"],
]);

/** As `ls -l` shows it: `drwxr-xr-x`. */
function modeText(mode: number): string {
  const bits = [..."rwxrwxrwx"].map((letter, index) => ((mode >> (8 - index)) & 1 ? letter : "-"));
  return (KINDS.get(mode & constants.S_IFMT) ?? "-") + bits.join("");
}

/**
 * The entries of a directory, sorted by name; none for a file. Entries that vanish meanwhile are left out.
 *
 * @param virtualPath the directory as the client named it, which the entries' paths begin with
 */
export async function listing(directory: string, virtualPath: string): Promise<FileInfo[]> {
  const names = await readdir(directory).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOTDIR" || error.code === "ENOENT") return [];
    throw error;
  });
  const [users, groups] = await Promise.all([namesOf("/etc/passwd"), namesOf("/etc/group")]);
  const entries = await Promise.all(
    names.sort().map(async (name): Promise<FileInfo | undefined> => {
      const stats = await stat(join(directory, name)).catch(() => undefined);
      if (stats === undefined) return undefined;
      return {
        path: join(virtualPath, name),
        nlink: stats.nlink,
        size: BigInt(stats.size),
        // Whole seconds.
        mtime: { nanoseconds: BigInt(Math.floor(stats.mtimeMs / 1000)) * 1_000_000_000n },
        mode: stats.mode,
        uid: users.get(stats.uid) ?? String(stats.uid),
        gid: groups.get(stats.gid) ?? String(stats.gid),
      };
    }),
  );
  return entries.filter((entry) => entry !== undefined);
}

/** As `/files/browse` answers it. */
export function listingJson(entries: readonly FileInfo[]): string {
  const shown = entries.map(({ path, nlink, size = 0n, mtime, mode = 0, uid, gid }) => {
    const seconds = (mtime?.nanoseconds ?? 0n) / 1_000_000_000n;
    const entry = {
      gid,
      mode: modeText(mode),
      mtime: Number(seconds),
      nlink,
      path,
      size: Number(size),
      uid,
    };
    // A floating-point number.
    return JSON.stringify(entry).replace(/"mtime":(-?\d+)/, '"mtime":$1.0');
  });
  return `[${shown.join(",")}]`;
}

/** Id -> name from a file in the form of /etc/passwd; without the file there are only numbers. */
async function namesOf(file: string): Promise<Map<number, string>> {
  const text = await readFile(file, "utf8").catch(() => "");
  const names = new Map<number, string>();
  for (const line of text.split("\n")) {
    const [name, , id] = line.split(":");
    if (name !== undefined && id !== undefined && !names.has(Number(id))) names.set(Number(id), name);
  }
  return names;
}
