import { rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import { errnoOf, messageOf } from "../../sdk/errors/index.js";
import { makeDirectory } from "../../sdk/files/index.js";
import { decodeRecords, type RegistryFacts, replay } from "../../sdk/registry/index.js";
import { checkBackup } from "../backup/archive.js";
import { type BackupManifest, META_NAME, REGISTRY_NAME } from "../backup/manifest.js";
import {
  isEmpty,
  type PlaceOptions,
  placeOf,
  type SharedPlace,
  UnreadablePlaceError,
} from "../backup/places.js";
import { readArchive } from "../backup/tar.js";
import { contentsOf, type Staged, stagedAt, stageMeta, stageRegistry, takePlace } from "../backup/unpack.js";
import { countsText } from "./backup.js";
import type { Streams } from "./execute-report.js";

export interface RestoreOptions extends PlaceOptions {
  readonly file: string;
  /** A `work_dir`, or the URL of a registry that several masters share; undefined: only check the archive. */
  readonly to: string | undefined;
  /** Replace what is there already. */
  readonly force: boolean;
}

interface Backup {
  readonly file: string;
  readonly manifest: BackupManifest;
  readonly registry: RegistryFacts | undefined;
  readonly hasMeta: boolean;
}

/** `tepui restore`: checks an archive, then restores its content. The exit code is 0 on success, otherwise 1. */
export async function runRestore(options: RestoreOptions, { stdout, stderr }: Streams): Promise<number> {
  const say = (line: string): void => void stdout.write(`${line}\n`);
  try {
    const backup = await read(options.file);
    const { made, source, version, registry, entries } = backup.manifest;
    say(`${options.file} is whole: made ${made} by Tepui ${version}, of ${source}`);
    if (registry !== undefined) say(`  the registry: ${countsText(registry)}`);
    if (backup.hasMeta) {
      const files = entries.filter(({ kind, path }) => kind === "file" && path !== REGISTRY_NAME);
      say(`  what the agent remembers: ${files.length} files`);
    }
    if (options.to === undefined) return 0;
    const place = await placeOf(options.to, options);
    if (typeof place === "string")
      await restoreDirectory(backup, { ...options, workDir: resolve(place), say });
    else await restoreShared(backup, { ...options, place, say });
    return 0;
  } catch (error) {
    stderr.write(`tepui restore: ${messageOf(error)}\n`);
    return 1;
  }
}

/** Finds everything that can be wrong with the archive, before anything is written. */
async function read(file: string): Promise<Backup> {
  try {
    const manifest = await checkBackup(file);
    const hasMeta = manifest.entries.some(({ path }) => path === META_NAME);
    for await (const entry of readArchive(file)) {
      if (entry.path !== REGISTRY_NAME || entry.kind !== "file") continue;
      decodeRecords(entry.content);
      return { file, manifest, hasMeta, registry: replay({ snapshot: entry.content, entries: [] }) };
    }
    return { file, manifest, hasMeta, registry: undefined };
  } catch (error) {
    const absent = errnoOf(error) === "ENOENT";
    const problem = absent ? "there is no such file" : messageOf(error);
    throw new Error(`${file}: ${problem}`, { cause: error });
  }
}

async function restoreShared(
  { registry, file }: Backup,
  { place, force, say }: { place: SharedPlace; force: boolean; say: (line: string) => void },
): Promise<void> {
  try {
    if (registry === undefined) throw new Error(`${file} has no registry: it is of an agent`);
    await place.peek().then(
      (found) => {
        if (found === undefined || isEmpty(found) || force) return;
        throw new Error(
          `${place.url} holds a registry with ${found.admitted.size} agents; with --force it is replaced, and the master that leads ends`,
        );
      },
      (error: unknown) => {
        if (!(error instanceof UnreadablePlaceError)) throw error;
        if (!force) throw new Error(`${error.message}; with --force it is replaced`, { cause: error });
        say(`  what is replaced cannot be read: ${error.message}`);
      },
    );
    await place.replace(registry);
    say(`restored the registry into ${place.url}; start the masters`);
  } finally {
    await place.close();
  }
}

async function restoreDirectory(
  { registry, hasMeta, file, manifest }: Backup,
  options: { workDir: string; force: boolean; say: (line: string) => void },
): Promise<void> {
  const { workDir, force, say } = options;
  const work: { staged: Staged; make: (staged: Staged) => Promise<void>; what: string }[] = [];
  if (registry !== undefined) {
    const make = (staged: Staged) => stageRegistry(staged, registry);
    work.push({ staged: stagedAt(join(workDir, "registry")), make, what: "the registry" });
  }
  if (hasMeta) {
    const saved = new Set(manifest.entries.map(({ path }) => path));
    const make = (staged: Staged) => stageMeta(staged, { archive: file, saved });
    work.push({ staged: stagedAt(join(workDir, META_NAME)), make, what: "what the agent remembers" });
  }
  for (const { staged } of work) {
    if (((await contentsOf(staged.path)) ?? []).length > 0 && !force) {
      throw new Error(`${staged.path} is not empty; with --force it is moved aside first`);
    }
  }
  await makeDirectory(workDir);
  for (const { staged, make } of work) {
    try {
      await make(staged);
    } catch (error) {
      // Where the disk is full it needs the room.
      await rm(staged.aside, { recursive: true, force: true }).catch(() => undefined);
      throw new Error(`${staged.path}: ${messageOf(error)}`, { cause: error });
    }
  }
  const stamp = new Date().toISOString().replace(/[:.]/g, "-");
  for (const { staged, what } of work) {
    const before = await takePlace(staged, stamp);
    say(`restored ${what} into ${staged.path}`);
    if (before !== undefined) say(`  what was there before is in ${before}`);
  }
}
