import { z } from "zod";

/** Version of the archive format; a reader refuses later ones. */
export const BACKUP_FORMAT = 1;

/** The last entry of the archive: without it, the archive is cut short. */
export const MANIFEST_NAME = "manifest.json";

/** The content of the registry, as one record of the registry's log. */
export const REGISTRY_NAME = "registry.record";

/** What the agent remembers, laid out as below `work_dir`. */
export const META_NAME = "meta";

const entry = z.discriminatedUnion("kind", [
  z.strictObject({
    kind: z.literal("file"),
    path: z.string().min(1),
    mode: z.number().int(),
    bytes: z.number().int().nonnegative(),
    /** Hexadecimal. */
    sha256: z.string().length(64),
  }),
  z.strictObject({ kind: z.literal("link"), path: z.string().min(1), target: z.string().min(1) }),
  z.strictObject({ kind: z.literal("directory"), path: z.string().min(1), mode: z.number().int() }),
]);

const manifest = z.object({
  format: z.literal(BACKUP_FORMAT),
  /** ISO 8601, UTC. */
  made: z.string(),
  /** Version of the program that made the backup. */
  version: z.string(),
  /** What was backed up; without credentials. */
  source: z.string(),
  /** Number of agents in the registry; absent: the archive has no registry. */
  registry: z
    .object({
      admitted: z.number().int(),
      unreachable: z.number().int(),
      gone: z.number().int(),
    })
    .optional(),
  entries: z.array(entry),
});

export type ManifestEntry = z.output<typeof entry>;
export type BackupManifest = z.output<typeof manifest>;

/** Throws an Error that says what is wrong. */
export function parseManifest(content: Buffer): BackupManifest {
  let value: unknown;
  try {
    value = JSON.parse(content.toString("utf8"));
  } catch {
    throw new Error(`its ${MANIFEST_NAME} is no JSON`);
  }
  const { format, version } = (value ?? {}) as { format?: unknown; version?: unknown };
  if (typeof format === "number" && format > BACKUP_FORMAT) {
    throw new Error(
      `it has format ${format}, this program reads format ${BACKUP_FORMAT}; use Tepui ${String(version)} or later`,
    );
  }
  const read = manifest.safeParse(value);
  if (!read.success) throw new Error(`its ${MANIFEST_NAME} is not that of a backup`);
  return read.data;
}
