import { z } from "zod";
import { isDigest } from "./reference.js";
import { invalid, parseJson } from "./refusals.js";

/** Points to content by its digest. */
export interface Descriptor {
  readonly mediaType: string | undefined;
  readonly digest: string;
  readonly size: number;
}

/** One image for one platform. */
export interface ImageManifest {
  readonly kind: "image";
  readonly config: Descriptor;
  /** The lowest first. */
  readonly layers: readonly Descriptor[];
}

export interface Platform {
  readonly os: string;
  readonly architecture: string;
  readonly variant?: string | undefined;
}

/** The same image for several platforms. */
export interface ImageIndex {
  readonly kind: "index";
  readonly manifests: readonly (Descriptor & {
    readonly platform: Platform | undefined;
    /** What the entry is called in an OCI layout: by its whole name, or by its tag alone. */
    readonly refName: string | undefined;
    /** The whole name, where Docker (from 25 on) or containerd wrote the layout. */
    readonly imageName: string | undefined;
  })[];
}

/** What a registry is asked for; the first are preferred. */
export const MANIFEST_TYPES = [
  "application/vnd.oci.image.index.v1+json",
  "application/vnd.docker.distribution.manifest.list.v2+json",
  "application/vnd.oci.image.manifest.v1+json",
  "application/vnd.docker.distribution.manifest.v2+json",
] as const;

const descriptor = z.object({
  mediaType: z.string().optional(),
  digest: z.string().refine(isDigest, "not a sha256 digest"),
  size: z.number().int().nonnegative(),
});
const image = z.object({ config: descriptor, layers: z.array(descriptor) });
const index = z.object({
  manifests: z.array(
    descriptor.extend({
      platform: z
        .object({ os: z.string(), architecture: z.string(), variant: z.string().optional() })
        .optional(),
      annotations: z.record(z.string(), z.string()).optional(),
    }),
  ),
});
const REF_NAME = "org.opencontainers.image.ref.name";
const IMAGE_NAME = "io.containerd.image.name";

/**
 * A manifest or index of Docker's schema 2 or of OCI. They are told apart by what they hold: media types are missing often enough.
 *
 * @param what names it in errors
 * @throws TepuiError TEPUI_IMAGE_INVALID
 */
export function parseManifest(text: Buffer, what: string): ImageManifest | ImageIndex {
  const json = parseJson(text, what);
  const root = z.object({ schemaVersion: z.unknown() }).loose().safeParse(json);
  if (!root.success) throw invalid(`${what} is not a JSON object`);
  if (root.data.schemaVersion === 1) {
    throw invalid(
      `${what} has Docker's schema 1, which registries gave up in 2019; push the image again with a current docker`,
    );
  }
  if (root.data.schemaVersion !== 2) throw invalid(`${what} has no schemaVersion 2`);
  const refuse = (error: z.ZodError): never => {
    const [issue] = error.issues;
    throw invalid(`${what} is malformed: '${issue?.path.join(".")}': ${issue?.message}`);
  };
  if ("manifests" in root.data) {
    const parsed = index.safeParse(json);
    if (!parsed.success) return refuse(parsed.error);
    return {
      kind: "index",
      manifests: parsed.data.manifests.map(({ mediaType, digest, size, platform, annotations }) => ({
        mediaType,
        digest,
        size,
        platform,
        refName: annotations?.[REF_NAME],
        imageName: annotations?.[IMAGE_NAME],
      })),
    };
  }
  const parsed = image.safeParse(json);
  if (!parsed.success) return refuse(parsed.error);
  const plain = ({ mediaType, digest, size }: z.output<typeof descriptor>): Descriptor => ({
    mediaType,
    digest,
    size,
  });
  return { kind: "image", config: plain(parsed.data.config), layers: parsed.data.layers.map(plain) };
}
