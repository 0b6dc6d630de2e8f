import type { BigIntStats } from "node:fs";
import { lstat, open, readdir, readlink } from "node:fs/promises";
import { join } from "node:path";
import type { TarEntry } from "./tar.js";

export interface StillCopyOptions {
  readonly directory: string;
  /** The first part of every entry's name: `meta`. */
  readonly name: string;
  /** Milliseconds after which to give up on a directory that keeps changing. */
  readonly patience: number;
}

interface Held {
  readonly stat: BigIntStats;
  readonly entry: TarEntry;
}

/**
 * Reads a directory and everything below it as it was at one moment, while somebody writes to it: what has changed since it was read is
 * read again, until a look at everything finds no change. Everything then is as it was when that look began.
 * Rejects with an Error if the directory keeps changing for too long.
 */
export async function stillCopy({ directory, name, patience }: StillCopyOptions): Promise<TarEntry[]> {
  const end = performance.now() + patience;
  const held = new Map<string, Held>();
  for (;;) {
    const seen = new Map<string, BigIntStats>();
    await look(directory, name, seen);
    const changed = [...seen].filter(([path, stat]) => !same(held.get(path)?.stat, stat));
    const gone = [...held.keys()].filter((path) => !seen.has(path));
    if (changed.length === 0 && gone.length === 0)
      return [...seen.keys()].map((path) => held.get(path)!.entry);
    if (performance.now() > end) {
      throw new Error(
        `${directory} changes too fast: ${changed[0]?.[0] ?? gone[0]} between every two looks; stop the agent, and its tasks go on meanwhile`,
      );
    }
    for (const path of gone) held.delete(path);
    for (const [path, stat] of changed) {
      const entry = await entryOf(join(directory, path.slice(name.length)), path, stat);
      if (entry === undefined) held.delete(path);
      else held.set(path, { stat, entry });
    }
  }
}

/** Every path, parents first. What disappears during the look is left out, as if it had disappeared before. */
async function look(path: string, name: string, seen: Map<string, BigIntStats>): Promise<void> {
  const stat = await lstat(path, { bigint: true }).catch(absent);
  if (stat === undefined) return;
  // Sockets and pipes belong to processes; they are no state.
  if (!stat.isFile() && !stat.isDirectory() && !stat.isSymbolicLink()) return;
  seen.set(name, stat);
  if (!stat.isDirectory()) return;
  const names = await readdir(path).catch(absent);
  for (const child of (names ?? []).sort()) await look(join(path, child), `${name}/${child}`, seen);
}

function same(left: BigIntStats | undefined, right: BigIntStats): boolean {
  return (
    left !== undefined &&
    left.ino === right.ino &&
    left.mode === right.mode &&
    // The times of a directory only reflect its entries.
    (right.isDirectory() ||
      (left.size === right.size && left.mtimeNs === right.mtimeNs && left.ctimeNs === right.ctimeNs))
  );
}

/** Undefined: it is gone, or no longer what was seen. */
async function entryOf(path: string, name: string, stat: BigIntStats): Promise<TarEntry | undefined> {
  const mode = Number(stat.mode) & 0o7777;
  if (stat.isDirectory()) return { kind: "directory", path: name, mode };
  if (stat.isSymbolicLink()) {
    const target = await readlink(path).catch(absent);
    return target === undefined ? undefined : { kind: "link", path: name, target };
  }
  const file = await open(path).catch(absent);
  if (file === undefined) return undefined;
  try {
    // The name may refer to another file by now.
    if (!same(await file.stat({ bigint: true }), stat)) return undefined;
    return { kind: "file", path: name, mode, content: await file.readFile() };
  } finally {
    await file.close();
  }
}

function absent(error: NodeJS.ErrnoException): undefined {
  if (error.code !== "ENOENT" && error.code !== "ENOTDIR") throw error;
}
