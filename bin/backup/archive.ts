import { createHash } from "node:crypto";
import { type FileHandle, open, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { messageOf } from "../../sdk/errors/index.js";
import { type BackupManifest, MANIFEST_NAME, type ManifestEntry, parseManifest } from "./manifest.js";
import { ARCHIVE_END, encodeEntry, readArchive, type TarEntry } from "./tar.js";

/** Writes an archive whose last entry lists what must be in it. The file appears under its name when it is complete and synced. */
export async function writeBackup(
  path: string,
  about: Omit<BackupManifest, "entries">,
  entries: Iterable<TarEntry>,
): Promise<BackupManifest> {
  const aside = `${path}.${process.pid}.tmp`;
  // It contains what the cluster knows, including secrets of tasks.
  const file = await open(aside, "wx", 0o600).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "ENOENT") throw error;
    throw new Error(`${dirname(path)}: there is no such directory`, { cause: error });
  });
  try {
    const listed: ManifestEntry[] = [];
    for (const entry of entries) {
      await writeAll(file, encodeEntry(entry));
      listed.push(listing(entry));
    }
    const manifest = { ...about, entries: listed };
    const content = Buffer.from(`${JSON.stringify(manifest, null, 1)}\n`, "utf8");
    await writeAll(file, encodeEntry({ kind: "file", path: MANIFEST_NAME, mode: 0o600, content }));
    await writeAll(file, ARCHIVE_END);
    await file.sync();
    await file.close();
    await rename(aside, path);
    await syncDirectory(dirname(path));
    return manifest;
  } catch (error) {
    await file.close().catch(() => undefined);
    await rm(aside, { force: true });
    throw new Error(`${path}: ${messageOf(error)}`, { cause: error });
  }
}

/** Reads the whole archive and compares it with its manifest. Throws an Error that says what is wrong. */
export async function checkBackup(path: string): Promise<BackupManifest> {
  const found: ManifestEntry[] = [];
  let manifest: BackupManifest | undefined;
  for await (const entry of readArchive(path)) {
    if (manifest !== undefined) throw new Error(`'${entry.path}' stands behind its ${MANIFEST_NAME}`);
    if (entry.kind === "file" && entry.path === MANIFEST_NAME) manifest = parseManifest(entry.content);
    else found.push(listing(entry));
  }
  if (manifest === undefined)
    throw new Error(`it has no ${MANIFEST_NAME}: it is no backup, or not a whole one`);
  for (const [i, wanted] of manifest.entries.entries()) {
    const actual = found[i];
    if (actual?.path !== wanted.path || actual.kind !== wanted.kind) {
      throw new Error(`'${wanted.path}' is missing`);
    }
    if (JSON.stringify(sorted(actual)) !== JSON.stringify(sorted(wanted))) {
      throw new Error(`'${wanted.path}' is not what was saved`);
    }
  }
  checkPaths(manifest.entries);
  const extra = found[manifest.entries.length];
  if (extra !== undefined) throw new Error(`'${extra.path}' is not listed in its ${MANIFEST_NAME}`);
  return manifest;
}

const sorted = (entry: ManifestEntry): [string, unknown][] =>
  Object.entries(entry).sort(([a], [b]) => (a < b ? -1 : 1));

/** An archive is untrusted input: nothing in it may be written anywhere else. */
function checkPaths(entries: readonly ManifestEntry[]): void {
  const kinds = new Map<string, ManifestEntry["kind"]>();
  for (const { path, kind } of entries) {
    const parts = path.split("/");
    const above = kinds.get(dirname(path));
    const strange = path.includes("\0") || parts.some((part) => part === "" || part === "." || part === "..");
    if (strange || kinds.has(path) || (parts.length > 1 && above !== "directory")) {
      throw new Error(`'${path}' is no path within a backup`);
    }
    kinds.set(path, kind);
  }
}

function listing(entry: TarEntry): ManifestEntry {
  switch (entry.kind) {
    case "file": {
      const sha256 = createHash("sha256").update(entry.content).digest("hex");
      return { kind: "file", path: entry.path, mode: entry.mode, bytes: entry.content.length, sha256 };
    }
    case "link":
      return { kind: "link", path: entry.path, target: entry.target };
    case "directory":
      return { kind: "directory", path: entry.path, mode: entry.mode };
  }
}

async function writeAll(file: FileHandle, bytes: Buffer): Promise<void> {
  for (let written = 0; written < bytes.length; ) {
    const { bytesWritten } = await file.write(bytes, written, bytes.length - written);
    written += bytesWritten;
  }
}

/** Syncs the directory itself, so that new names are durable. */
export async function syncDirectory(path: string): Promise<void> {
  const directory = await open(join(path, "."));
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
