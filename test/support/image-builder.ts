import { createHash } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { type ArchiveEntry, tarArchive } from "./tar-archive.js";

export interface BuiltLayer {
  readonly diffId: string;
  /** The archive. */
  readonly tar: Buffer;
  /** As a registry keeps it. */
  readonly blob: Buffer;
  readonly digest: string;
}

export interface BuiltImage {
  readonly config: Buffer;
  readonly manifest: Buffer;
  /** Digest of the manifest. */
  readonly digest: string;
  readonly mediaType: string;
  readonly layers: readonly BuiltLayer[];
}

/** The part of an image's configuration that says how to run it. */
export interface RunConfig {
  readonly Env?: readonly string[];
  readonly Entrypoint?: readonly string[];
  readonly Cmd?: readonly string[];
  readonly WorkingDir?: string;
  readonly User?: string;
  readonly Labels?: Readonly<Record<string, string>>;
}

export const sha256 = (data: Buffer | string): string =>
  `sha256:${createHash("sha256").update(data).digest("hex")}`;

const ARCHITECTURE = process.arch === "x64" ? "amd64" : process.arch;
const DOCKER = {
  manifest: "application/vnd.docker.distribution.manifest.v2+json",
  config: "application/vnd.docker.container.image.v1+json",
  layer: "application/vnd.docker.image.rootfs.diff.tar.gzip",
};
const OCI = {
  manifest: "application/vnd.oci.image.manifest.v1+json",
  config: "application/vnd.oci.image.config.v1+json",
  layer: "application/vnd.oci.image.layer.v1.tar+gzip",
};

/** Compresses with gzip unless told otherwise. */
export function buildLayer(
  entries: readonly ArchiveEntry[] | Buffer,
  compress: (tar: Buffer) => Buffer = gzipSync,
): BuiltLayer {
  const tar = Buffer.isBuffer(entries) ? entries : tarArchive(entries);
  const blob = compress(tar);
  return { diffId: sha256(tar), tar, blob, digest: sha256(blob) };
}

export function buildImage(
  layers: readonly BuiltLayer[],
  run: RunConfig = {},
  form: "docker" | "oci" = "docker",
): BuiltImage {
  const types = form === "docker" ? DOCKER : OCI;
  const config = Buffer.from(
    JSON.stringify({
      architecture: ARCHITECTURE,
      os: "linux",
      config: run,
      rootfs: { type: "layers", diff_ids: layers.map(({ diffId }) => diffId) },
      history: [],
    }),
  );
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: types.manifest,
      config: { mediaType: types.config, digest: sha256(config), size: config.length },
      layers: layers.map(({ digest, blob }) => ({ mediaType: types.layer, digest, size: blob.length })),
    }),
  );
  return { config, manifest, digest: sha256(manifest), mediaType: types.manifest, layers };
}

/** Entries of a root file system with a shell and the usual small programs: Debian's busybox-static. */
export async function busyboxEntries(busybox: string): Promise<ArchiveEntry[]> {
  const applets = [
    "sh",
    "ls",
    "cat",
    "echo",
    "sleep",
    "env",
    "pwd",
    "id",
    "true",
    "false",
    "test",
    "touch",
    "rm",
  ];
  return [
    ...["bin", "etc", "tmp", "proc", "sys", "dev", "root", "mnt"].map((name) => ({
      name: `${name}/`,
      type: "5",
      mode: name === "tmp" ? 0o1777 : 0o755,
    })),
    { name: "bin/busybox", mode: 0o755, content: await readFile(busybox) },
    ...applets.map((name) => ({ name: `bin/${name}`, type: "2", target: "busybox" })),
    { name: "etc/passwd", content: "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/sh\n" },
    { name: "etc/group", content: "root:x:0:\nnogroup:x:65534:\n" },
  ];
}

/** Writes what `docker save` writes now. */
export function dockerArchive(image: BuiltImage, tag: string): Buffer {
  const config = `${sha256(image.config).slice(7)}.json`;
  const paths = image.layers.map(({ diffId }) => `${diffId.slice(7)}/layer.tar`);
  return tarArchive([
    { name: config, content: image.config },
    ...image.layers.map(({ tar }, index) => ({ name: paths[index]!, content: tar })),
    {
      name: "manifest.json",
      content: JSON.stringify([{ Config: config, RepoTags: [tag], Layers: paths }]),
    },
  ]);
}

/** Writes what `docker save` wrote before Docker 1.10. */
export function oldDockerArchive(
  layers: readonly BuiltLayer[],
  { repository, tag, run }: { readonly repository: string; readonly tag: string; readonly run: RunConfig },
): Buffer {
  const ids = layers.map(({ diffId }) => diffId.slice(7));
  return tarArchive([
    ...layers.flatMap(({ tar }, index) => [
      { name: `${ids[index]}/`, type: "5" },
      { name: `${ids[index]}/VERSION`, content: "1.0" },
      {
        name: `${ids[index]}/json`,
        content: JSON.stringify({
          id: ids[index],
          ...(index > 0 && { parent: ids[index - 1] }),
          config: run,
        }),
      },
      { name: `${ids[index]}/layer.tar`, content: tar },
    ]),
    { name: "repositories", content: JSON.stringify({ [repository]: { [tag]: ids.at(-1) } }) },
  ]);
}

/** Writes an OCI layout with one image. */
export async function writeOciLayout(directory: string, image: BuiltImage, refName?: string): Promise<void> {
  const blobs = join(directory, "blobs", "sha256");
  await mkdir(blobs, { recursive: true });
  const write = (data: Buffer): Promise<void> => writeFile(join(blobs, sha256(data).slice(7)), data);
  await write(image.config);
  await write(image.manifest);
  for (const { blob } of image.layers) await write(blob);
  await writeFile(join(directory, "oci-layout"), JSON.stringify({ imageLayoutVersion: "1.0.0" }));
  const annotations = refName === undefined ? {} : { "org.opencontainers.image.ref.name": refName };
  const { digest, mediaType, manifest } = image;
  const index = { schemaVersion: 2, manifests: [{ mediaType, digest, size: manifest.length, annotations }] };
  await writeFile(join(directory, "index.json"), JSON.stringify(index));
}

/** Pushes an image by the registry's API. `origin` is `http://host:port`. */
export async function pushImage(
  origin: string,
  {
    repository,
    tag,
    image,
  }: { readonly repository: string; readonly tag: string; readonly image: BuiltImage },
  headers: Readonly<Record<string, string>> = {},
): Promise<void> {
  for (const blob of [image.config, ...image.layers.map((layer) => layer.blob)]) {
    const opened = await fetch(`${origin}/v2/${repository}/blobs/uploads/`, { method: "POST", headers });
    if (opened.status !== 202) throw new Error(`the registry answers an upload with ${opened.status}`);
    const url = new URL(opened.headers.get("location")!, origin);
    url.searchParams.set("digest", sha256(blob));
    const put = await fetch(url, { method: "PUT", headers, body: new Uint8Array(blob) });
    if (put.status !== 201) throw new Error(`the registry answers a blob with ${put.status}`);
  }
  await pushManifest(
    origin,
    { repository, tag, manifest: image.manifest, mediaType: image.mediaType },
    headers,
  );
}

export async function pushManifest(
  origin: string,
  of: {
    readonly repository: string;
    readonly tag: string;
    readonly manifest: Buffer;
    readonly mediaType: string;
  },
  headers: Readonly<Record<string, string>> = {},
): Promise<void> {
  const put = await fetch(`${origin}/v2/${of.repository}/manifests/${of.tag}`, {
    method: "PUT",
    headers: { ...headers, "content-type": of.mediaType },
    body: new Uint8Array(of.manifest),
  });
  if (put.status !== 201)
    throw new Error(`the registry answers a manifest with ${put.status}: ${await put.text()}`);
}
