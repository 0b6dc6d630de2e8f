import { open, readFile, rename } from "node:fs/promises";
import { dirname } from "node:path";
import { z } from "zod";
import { errnoOf, messageOf } from "../../../sdk/errors/index.js";
import { isDigest } from "../reference.js";

const digest = z.string().refine(isDigest);
const image = z.object({
  /** The reference with its tag. */
  name: z.string(),
  digest,
  /** Digest of the configuration. */
  config: digest,
  /** The lowest first, none twice. */
  layers: z.array(digest).min(1),
});
const file = z.object({ version: z.literal(1), images: z.array(image), layers: z.array(digest) });

/** What is known of one image in the store. */
export type CatalogueEntry = z.output<typeof image>;

/** All that is in the store: images by name, and layers, also such as only running containers still have. */
export interface Catalogue {
  readonly images: Map<string, CatalogueEntry>;
  readonly layers: Set<string>;
}

/** @returns undefined where there is none. Throws for one that cannot be read. */
export async function readCatalogue(path: string): Promise<Catalogue | undefined> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return undefined;
    throw error;
  }
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new Error(`${path} is not JSON: ${messageOf(error)}`);
  }
  const parsed = file.safeParse(json);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new Error(`${path} is malformed: '${issue?.path.join(".")}': ${issue?.message}`);
  }
  return {
    images: new Map(parsed.data.images.map((entry) => [entry.name, entry])),
    layers: new Set(parsed.data.layers),
  };
}

/** In its place at once, whole, and on the disk. */
export async function writeCatalogue(path: string, { images, layers }: Catalogue): Promise<void> {
  const content = { version: 1, images: [...images.values()], layers: [...layers] };
  await writeDurably(path, `${JSON.stringify(content, undefined, 1)}\n`);
}

/** @param next where it is written first, on the same file system */
export async function writeDurably(
  path: string,
  content: string | Buffer,
  next = `${path}.next`,
): Promise<void> {
  {
    await using handle = await open(next, "w", 0o600);
    await handle.writeFile(content);
    await handle.sync();
  }
  await rename(next, path);
  await using directory = await open(dirname(path));
  await directory.sync();
}
