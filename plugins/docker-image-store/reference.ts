import { invalid } from "./refusals.js";

/** Names an image in a registry, as a person wrote it: what was left out is absent. */
export interface ImageReference {
  /** `host` or `host:port`; absent: the default registry. */
  readonly registry?: string;
  /** One or more components: `alpine`, `library/alpine`. */
  readonly repository: string;
  readonly tag?: string;
  /** `sha256:...`; wins over the tag. */
  readonly digest?: string;
}

/** As in the grammar that registries check names by (distribution, `reference.regexp`). */
const COMPONENT = "[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*";
const REPOSITORY = new RegExp(`^${COMPONENT}(?:/${COMPONENT})*$`);
const LABEL = "[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?";
const REGISTRY = new RegExp(`^(?:${LABEL}(?:\\.${LABEL})*|\\[[0-9a-fA-F:]+\\])(?::(\\d{1,5}))?$`);
const TAG = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/;
const DIGEST = /^sha256:[0-9a-f]{64}$/;
const MAX_REPOSITORY_CHARACTERS = 255;

export const DEFAULT_TAG = "latest";

/** Whether this is a digest of the only kind that registries give. */
export const isDigest = (text: unknown): text is string => typeof text === "string" && DIGEST.test(text);

/**
 * Reads `alpine`, `quay.io:443/coreos/etcd:v3`, `app@sha256:...`. What stands before the first slash is a registry where it holds
 * a dot or a colon or is `localhost`, as for Docker and Mesos.
 *
 * @throws TepuiError TEPUI_IMAGE_INVALID
 */
export function parseReference(text: string): ImageReference {
  const refuse = (why: string): never => {
    throw invalid(`'${text}' is not the name of an image: ${why}`);
  };
  const [named, digest, ...more] = text.split("@");
  if (more.length > 0) refuse("it has more than one '@'");
  if (digest !== undefined && !DIGEST.test(digest)) {
    refuse(`the digest '${digest}' is not 'sha256:' and 64 hexadecimal digits`);
  }
  // A colon with a slash behind it stands before a port.
  const colon = named!.lastIndexOf(":");
  const hasTag = colon > named!.lastIndexOf("/");
  const tag = hasTag ? named!.slice(colon + 1) : undefined;
  if (tag !== undefined && !TAG.test(tag)) {
    refuse(`the tag '${tag}' is not 1 to 128 letters, digits, '_', '.' and '-', the first no '.' or '-'`);
  }
  const path = hasTag ? named!.slice(0, colon) : named!;
  const slash = path.indexOf("/");
  const first = slash < 0 ? "" : path.slice(0, slash);
  const registry = /[.:]/.test(first) || first === "localhost" ? first : undefined;
  if (registry !== undefined) {
    const port = REGISTRY.exec(registry);
    if (port === null || Number(port[1] ?? 1) < 1 || Number(port[1] ?? 1) > 65_535) {
      refuse(`'${registry}' is not a registry's host and port`);
    }
  }
  const repository = registry === undefined ? path : path.slice(slash + 1);
  if (repository === "") refuse("it names no repository");
  if (repository.length > MAX_REPOSITORY_CHARACTERS) {
    refuse(`the repository is longer than ${MAX_REPOSITORY_CHARACTERS} characters`);
  }
  if (!REPOSITORY.test(repository)) {
    refuse(
      `the repository '${repository}' is not made of lower-case letters, digits and single separators ('.', '_', '__', '-')`,
    );
  }
  return {
    ...(registry !== undefined && { registry }),
    repository,
    ...(tag !== undefined && { tag }),
    ...(digest !== undefined && { digest }),
  };
}

/** As Mesos prints it: the digest in place of the tag where there is one. Nothing is filled in. */
export function formatReference(reference: ImageReference): string {
  const { registry, repository, tag, digest } = reference;
  const name = registry === undefined ? repository : `${registry}/${repository}`;
  if (digest !== undefined) return `${name}@${digest}`;
  return tag === undefined ? name : `${name}:${tag}`;
}

/** The same text for all references to one image: the tag is filled in. */
export function normalName(reference: ImageReference): string {
  if (reference.digest !== undefined || reference.tag !== undefined) return formatReference(reference);
  return formatReference({ ...reference, tag: DEFAULT_TAG });
}

/** The texts that archives may call it by: Docker shortens the names of its own registry, other tools write them out. */
export function nameVariants(reference: ImageReference): ReadonlySet<string> {
  const name = normalName(reference);
  const short = name.replace(/^(docker\.io|index\.docker\.io)\//, "").replace(/^library\//, "");
  return new Set([name, short, `library/${short}`, `docker.io/${short}`, `docker.io/library/${short}`]);
}
