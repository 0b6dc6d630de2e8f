import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { parseConfig } from "../image-config.js";
import { type Descriptor, type ImageIndex, type Platform, parseManifest } from "../manifest.js";
import { selectManifest } from "../platform.js";
import { DEFAULT_TAG, formatReference, type ImageReference, nameVariants } from "../reference.js";
import { invalid, notFound } from "../refusals.js";
import { type FilePart, type FileSet, readPart } from "./file-set.js";
import { MAX_CONFIG_BYTES, type SourceImage, type SourceLayer } from "./image-source.js";

const MAX_MANIFEST_BYTES = 4 * 1024 * 1024;

/** Whether these files are an OCI image layout. */
export const isOciLayout = async (files: FileSet): Promise<boolean> =>
  (await files.find("oci-layout")) !== undefined && (await files.find("index.json")) !== undefined;

/** The image of a reference in an OCI image layout. */
export async function findInLayout(
  files: FileSet,
  reference: ImageReference,
  platform: Platform,
): Promise<SourceImage> {
  const name = formatReference(reference);
  const text = await readPart(files, "index.json", MAX_MANIFEST_BYTES);
  const index = parseManifest(text, `the index.json of '${files.name}'`);
  if (index.kind !== "index") throw invalid(`the index.json of '${files.name}' is no index`);
  let chosen = entryOf(index, reference, platform);
  if (chosen === undefined) throw notFound(`'${files.name}' has no image '${name}'`);
  let manifest = parseManifest(await blob(files, chosen, MAX_MANIFEST_BYTES), `the manifest of '${name}'`);
  if (manifest.kind === "index") {
    chosen = selectManifest(manifest, platform, `'${name}'`);
    manifest = parseManifest(await blob(files, chosen, MAX_MANIFEST_BYTES), `the manifest of '${name}'`);
  }
  if (manifest.kind !== "image") throw invalid(`'${name}' is an index of indexes`);
  const config = await blob(files, manifest.config, MAX_CONFIG_BYTES);
  const { diffIds } = parseConfig(config, `the configuration of '${name}'`);
  if (diffIds?.length !== manifest.layers.length) {
    throw invalid(
      `'${name}' has ${manifest.layers.length} layers, and its configuration names ${diffIds?.length ?? 0}`,
    );
  }
  const layers = manifest.layers.map((descriptor, at) => layerOf(files, descriptor, diffIds[at]!));
  return { digest: chosen.digest, config, layers };
}

/** Its entries are called by the whole name, or by the tag alone; the only one needs no name. */
function entryOf(index: ImageIndex, reference: ImageReference, platform: Platform): Descriptor | undefined {
  const { manifests } = index;
  if (reference.digest !== undefined) return manifests.find(({ digest }) => digest === reference.digest);
  const whole = new Set([formatReference(reference), ...nameVariants(reference)]);
  const isCalled = (name: string | undefined): boolean => name !== undefined && whole.has(name);
  const named = manifests.filter(({ imageName, refName }) => isCalled(imageName) || isCalled(refName));
  const tagged = manifests.filter(({ refName }) => refName === (reference.tag ?? DEFAULT_TAG));
  // Different images may have one tag.
  const others = tagged.length > 1 && tagged.some(({ imageName }) => imageName !== undefined);
  const [found, ...more] = named.length > 0 ? named : others ? [] : tagged;
  if (found !== undefined && more.length > 0) {
    return selectManifest(
      { kind: "index", manifests: [found, ...more] },
      platform,
      formatReference(reference),
    );
  }
  return found ?? (manifests.length === 1 && manifests[0]!.refName === undefined ? manifests[0] : undefined);
}

async function find(files: FileSet, { digest, size }: Descriptor): Promise<FilePart> {
  const part = await files.find(`blobs/sha256/${digest.slice("sha256:".length)}`);
  if (part === undefined) throw notFound(`'${files.name}' has no blob ${digest}`);
  if (part.length !== size) {
    throw invalid(`the blob ${digest} of '${files.name}' has ${part.length} bytes, not ${size}`);
  }
  return part;
}

async function blob(files: FileSet, descriptor: Descriptor, limit: number): Promise<Buffer> {
  await find(files, descriptor);
  const { digest } = descriptor;
  const data = await readPart(files, `blobs/sha256/${digest.slice("sha256:".length)}`, limit);
  const actual = `sha256:${createHash("sha256").update(data).digest("hex")}`;
  if (actual !== digest) throw invalid(`the blob ${digest} of '${files.name}' is damaged: it is ${actual}`);
  return data;
}

function layerOf(files: FileSet, descriptor: Descriptor, diffId: string): SourceLayer {
  return {
    diffId,
    name: descriptor.digest,
    obtain: async (_directory, signal) => {
      const part = await find(files, descriptor);
      const hash = createHash("sha256");
      const { file, start, length } = part;
      for await (const chunk of createReadStream(file, { start, end: start + length - 1, signal })) {
        hash.update(chunk as Buffer);
      }
      const actual = `sha256:${hash.digest("hex")}`;
      if (actual !== descriptor.digest) {
        throw invalid(`the blob ${descriptor.digest} of '${files.name}' is damaged: it is ${actual}`);
      }
      return part;
    },
  };
}
