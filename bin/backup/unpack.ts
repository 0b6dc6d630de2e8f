import { lstat, mkdir, open, readdir, rename, rm, symlink } from "node:fs/promises";
import { dirname, isAbsolute, join } from "node:path";
import { writeRegistry } from "../../plugins/embedded-registry/offline.js";
import { errnoOf } from "../../sdk/errors/index.js";
import { DirectoryLock, restoringBeside } from "../../sdk/files/index.js";
import type { RegistryFacts } from "../../sdk/registry/index.js";
import { syncDirectory } from "./archive.js";
import { META_NAME } from "./manifest.js";
import { readArchive } from "./tar.js";

/** A directory that is created next to its destination and then takes its place in one step. */
export interface Staged {
  readonly path: string;
  /** Where it is created. */
  readonly aside: string;
}

export const stagedAt = (path: string): Staged => ({ path, aside: restoringBeside(path) });

/** The names in the directory; undefined: it does not exist. Rejects if the path is something else. */
export async function contentsOf(path: string): Promise<readonly string[] | undefined> {
  try {
    return await readdir(path);
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return undefined;
    throw error;
  }
}

export async function stageRegistry({ aside }: Staged, facts: RegistryFacts): Promise<void> {
  await rm(aside, { recursive: true, force: true });
  await writeRegistry(aside, facts);
}

/** @param saved paths in the archive, into which its links point */
export async function stageMeta(
  { path, aside }: Staged,
  { archive, saved }: { archive: string; saved: ReadonlySet<string> },
): Promise<void> {
  await rm(aside, { recursive: true, force: true });
  const directories: string[] = [];
  for await (const entry of readArchive(archive)) {
    if (entry.path !== META_NAME && !entry.path.startsWith(`${META_NAME}/`)) continue;
    const target = join(aside, entry.path.slice(META_NAME.length));
    if (entry.kind === "directory") {
      await mkdir(target, { mode: entry.mode });
      directories.push(target);
    } else if (entry.kind === "link") {
      await symlink(moved(entry.target, { saved, to: path }), target);
    } else {
      const file = await open(target, "wx", entry.mode);
      try {
        await file.writeFile(entry.content);
        await file.sync();
      } finally {
        await file.close();
      }
    }
  }
  for (const directory of directories) await syncDirectory(directory);
}

/**
 * A link that pointed into the saved directory has to point into the restored one. The backup may have been made under another name than
 * the agent's own, so only the part below `meta` counts.
 */
function moved(target: string, { saved, to }: { saved: ReadonlySet<string>; to: string }): string {
  if (!isAbsolute(target)) return target;
  const parts = target.split("/");
  for (let at = parts.indexOf(META_NAME); at >= 0; at = parts.indexOf(META_NAME, at + 1)) {
    if (saved.has(parts.slice(at).join("/"))) return join(to, ...parts.slice(at + 1));
  }
  return target;
}

/**
 * Moves what was staged to its destination. What was there before is kept next to it, under the name that this resolves to; undefined:
 * nothing was. Rejects if a master is using it.
 */
export async function takePlace({ path, aside }: Staged, stamp: string): Promise<string | undefined> {
  const before = `${path}.before-${stamp}`;
  const there = await lstat(path).then(
    () => true,
    () => false,
  );
  if (there) {
    const lock = await DirectoryLock.take(path).catch(async (error: unknown) => {
      await rm(aside, { recursive: true, force: true });
      throw error;
    });
    try {
      await rename(path, before);
    } finally {
      await lock.release();
    }
  }
  await rename(aside, path);
  await syncDirectory(dirname(path));
  return there ? before : undefined;
}
