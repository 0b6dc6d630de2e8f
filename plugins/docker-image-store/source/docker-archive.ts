import { createHash } from "node:crypto";
import { z } from "zod";
import { parseConfig } from "../image-config.js";
import { DEFAULT_TAG, formatReference, type ImageReference, nameVariants } from "../reference.js";
import { invalid, notFound, parseJson } from "../refusals.js";
import { type FileSet, readPart } from "./file-set.js";
import { MAX_CONFIG_BYTES, type SourceImage, type SourceLayer } from "./image-source.js";

const MAX_JSON_BYTES = 4 * 1024 * 1024;
/** As many as overlayfs can stack. */
const MAX_LAYERS = 500;

const manifests = z.array(
  z.object({ Config: z.string(), RepoTags: z.array(z.string()).nullish(), Layers: z.array(z.string()) }),
);
const repositories = z.record(z.string(), z.record(z.string(), z.string()));
const oldLayer = z.object({ parent: z.string().nullish() });

/**
 * The image of a reference in what `docker save` writes: with `manifest.json`, or, before Docker 1.10, with `repositories` and a
 * directory for each layer that names its parent.
 */
export async function findInDockerArchive(files: FileSet, reference: ImageReference): Promise<SourceImage> {
  if (reference.digest !== undefined) {
    throw notFound(
      `'${formatReference(reference)}': archives of docker save name images by tags, not by digests`,
    );
  }
  const modern = (await files.find("manifest.json")) !== undefined;
  return modern ? fromManifest(files, reference) : fromRepositories(files, reference);
}

async function fromManifest(files: FileSet, reference: ImageReference): Promise<SourceImage> {
  const json = parseJson(
    await readPart(files, "manifest.json", MAX_JSON_BYTES),
    `the manifest.json of '${files.name}'`,
  );
  const parsed = manifests.safeParse(json);
  if (!parsed.success) throw invalid(`the manifest.json of '${files.name}' is malformed`);
  const names = nameVariants(reference);
  const named = parsed.data.find(({ RepoTags: tags }) => tags?.some((tag) => names.has(tag)));
  // Saved by its id, an image has no name.
  const [only] = parsed.data.length === 1 && (parsed.data[0]!.RepoTags ?? []).length === 0 ? parsed.data : [];
  const image = named ?? only;
  if (image === undefined) {
    const there = parsed.data.flatMap(({ RepoTags: tags }) => tags ?? []);
    throw notFound(
      `'${files.name}' has no image '${formatReference(reference)}'; it has ${there.join(", ") || "none"}`,
    );
  }
  const config = await readPart(files, image.Config, MAX_CONFIG_BYTES);
  const { diffIds } = parseConfig(config, `the configuration of '${formatReference(reference)}'`);
  if (diffIds?.length !== image.Layers.length) {
    throw invalid(
      `'${files.name}' has ${image.Layers.length} layers, and its configuration names ${diffIds?.length ?? 0}`,
    );
  }
  return {
    digest: digestOf(config),
    config,
    layers: image.Layers.map((path, index) => layerOf(files, path, diffIds[index])),
  };
}

async function fromRepositories(files: FileSet, reference: ImageReference): Promise<SourceImage> {
  if ((await files.find("repositories")) === undefined) {
    throw invalid(`'${files.name}' holds no image: no manifest.json, no repositories, no oci-layout`);
  }
  const text = await readPart(files, "repositories", MAX_JSON_BYTES);
  const parsed = repositories.safeParse(parseJson(text, `the file repositories of '${files.name}'`));
  if (!parsed.success) throw invalid(`the file repositories of '${files.name}' is malformed`);
  const { registry, repository, tag = DEFAULT_TAG } = reference;
  const tags =
    parsed.data[repository] ??
    (registry === undefined ? undefined : parsed.data[`${registry}/${repository}`]);
  const top = tags?.[tag];
  if (top === undefined) throw notFound(`'${files.name}' has no image '${formatReference(reference)}'`);
  const ids: string[] = [];
  for (let id: string | undefined = top; id !== undefined; ) {
    if (!/^[0-9a-f]{1,64}$/.test(id) || ids.includes(id) || ids.length === MAX_LAYERS) {
      throw invalid(`the layers of '${files.name}' do not follow one another: '${id}'`);
    }
    ids.unshift(id);
    const json = await readPart(files, `${id}/json`, MAX_CONFIG_BYTES);
    const layer = oldLayer.safeParse(parseJson(json, `the description of the layer '${id}'`));
    if (!layer.success) throw invalid(`the description of the layer '${id}' is malformed`);
    id = layer.data.parent || undefined;
  }
  const config = await readPart(files, `${top}/json`, MAX_CONFIG_BYTES);
  return {
    digest: digestOf(config),
    config,
    layers: ids.map((id) => layerOf(files, `${id}/layer.tar`, undefined)),
  };
}

function layerOf(files: FileSet, path: string, diffId: string | undefined): SourceLayer {
  return {
    diffId,
    name: path,
    obtain: async () => {
      const part = await files.find(path);
      if (part === undefined) throw notFound(`'${files.name}' has no layer '${path}'`);
      return part;
    },
  };
}

const digestOf = (config: Buffer): string => `sha256:${createHash("sha256").update(config).digest("hex")}`;
