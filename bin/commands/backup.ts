import { stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { peekRegistry } from "../../plugins/embedded-registry/offline.js";
import { errnoOf, messageOf } from "../../sdk/errors/index.js";
import type { RegistryFacts } from "../../sdk/registry/index.js";
import { writeBackup } from "../backup/archive.js";
import { BACKUP_FORMAT, META_NAME, REGISTRY_NAME } from "../backup/manifest.js";
import { encodeFacts, type PlaceOptions, placeOf } from "../backup/places.js";
import { stillCopy } from "../backup/still-copy.js";
import type { TarEntry } from "../backup/tar.js";
import { TEPUI_VERSION } from "../version.js";
import type { Streams } from "./execute-report.js";

export interface BackupOptions extends PlaceOptions {
  /** A `work_dir`, or the URL of a registry that several masters share. */
  readonly from: string;
  /** The archive to create; it must not exist. */
  readonly file: string;
}

interface Content {
  /** For the manifest; without credentials. */
  readonly source: string;
  readonly registry: RegistryFacts | undefined;
  readonly meta: readonly TarEntry[];
}

/**
 * `tepui backup`: saves what a master or an agent must not forget, while it is running. The exit code is 0 if the archive was made,
 * otherwise 1.
 */
export async function runBackup(options: BackupOptions, { stdout, stderr }: Streams): Promise<number> {
  try {
    const { file } = options;
    if (await exists(file)) throw new Error(`${file} exists already`);
    const { source, registry, meta } = await contentOf(options);
    const counts = registry && {
      admitted: registry.admitted.size,
      unreachable: registry.unreachable.size,
      gone: registry.gone.size,
    };
    const entries: TarEntry[] = [
      ...(registry === undefined
        ? []
        : [{ kind: "file", path: REGISTRY_NAME, mode: 0o600, content: encodeFacts(registry) } as const]),
      ...meta,
    ];
    const about = {
      format: BACKUP_FORMAT as typeof BACKUP_FORMAT,
      made: new Date().toISOString(),
      version: TEPUI_VERSION,
      source,
      ...(counts && { registry: counts }),
    };
    const manifest = await writeBackup(resolve(file), about, entries);
    if (counts !== undefined) stdout.write(`saved the registry: ${countsText(counts)}\n`);
    if (meta.length > 0) {
      const files = manifest.entries.filter(({ kind, path }) => kind === "file" && path !== REGISTRY_NAME);
      stdout.write(`saved what the agent remembers: ${files.length} files\n`);
    }
    stdout.write(`${file}: ${(await stat(file)).size} bytes\n`);
    return 0;
  } catch (error) {
    stderr.write(`tepui backup: ${messageOf(error)}\n`);
    return 1;
  }
}

export const countsText = (counts: { admitted: number; unreachable: number; gone: number }): string =>
  `${counts.admitted} agents admitted, ${counts.unreachable} unreachable, ${counts.gone} gone`;

async function contentOf({ from, ...options }: BackupOptions): Promise<Content> {
  const place = await placeOf(from, options);
  if (typeof place !== "string") {
    try {
      const registry = await place.peek();
      if (registry === undefined) throw new Error(`${place.url}: there is no registry`);
      return { source: place.url, registry, meta: [] };
    } finally {
      await place.close();
    }
  }
  const source = resolve(place);
  if (!(await exists(source))) throw new Error(`${source}: there is no such directory`);
  const [registryPath, metaPath] = [join(source, "registry"), join(source, META_NAME)];
  const registry = await peekRegistry(registryPath);
  const meta = (await exists(metaPath))
    ? await stillCopy({ directory: metaPath, name: META_NAME, patience: options.timeout })
    : [];
  if (registry === undefined && meta.length === 0) {
    throw new Error(`${source}: there is neither the registry of a master nor the memory of an agent in it`);
  }
  return { source, registry, meta };
}

async function exists(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return false;
    throw error;
  }
}
