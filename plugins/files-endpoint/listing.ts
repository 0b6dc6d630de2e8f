import type { Stats } from "node:fs";
import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";

const KINDS: readonly [(stats: Stats) => boolean, string][] = [
  [(stats) => stats.isDirectory(), "d"],
  [(stats) => stats.isCharacterDevice(), "c"],
  [(stats) => stats.isBlockDevice(), "b"],
  [(stats) => stats.isFIFO(), "p"],
  [(stats) => stats.isSymbolicLink(), "l"],
  [(stats) => stats.isSocket(), "s"],
];

/** As `ls -l` shows it: `drwxr-xr-x`. */
function modeText(stats: Stats): string {
  const kind = KINDS.find(([is]) => is(stats))?.[1] ?? "-";
  const bits = [..."rwxrwxrwx"].map((letter, index) => ((stats.mode >> (8 - index)) & 1 ? letter : "-"));
  return kind + bits.join("");
}

/**
 * The entries of a directory as the JSON of `/files/browse`, sorted by name; none for a file. Entries that vanish meanwhile are left out.
 *
 * @param virtualPath the directory as the client named it, which the entries' paths begin with
 */
export async function listingJson(directory: string, virtualPath: string): Promise<string> {
  const names = await readdir(directory).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOTDIR" || error.code === "ENOENT") return [];
    throw error;
  });
  const [users, groups] = await Promise.all([namesOf("/etc/passwd"), namesOf("/etc/group")]);
  const entries = await Promise.all(
    names.sort().map(async (name) => {
      const stats = await stat(join(directory, name)).catch(() => undefined);
      if (stats === undefined) return undefined;
      const entry = {
        gid: groups.get(stats.gid) ?? String(stats.gid),
        mode: modeText(stats),
        // Whole seconds, as a floating-point number.
        mtime: Math.floor(stats.mtimeMs / 1000),
        nlink: stats.nlink,
        path: join(virtualPath, name),
        size: stats.size,
        uid: users.get(stats.uid) ?? String(stats.uid),
      };
      return JSON.stringify(entry).replace(/"mtime":(-?\d+)/, '"mtime":$1.0');
    }),
  );
  return `[${entries.filter((entry) => entry !== undefined).join(",")}]`;
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
