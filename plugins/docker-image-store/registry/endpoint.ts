import type { ImageReference } from "../reference.js";

/** Where the images of a reference are. */
export interface RegistryEndpoint {
  /** `https://host:port`, without a slash at the end. */
  readonly origin: string;
  /** `host` or `host:port`, as credentials are listed by. */
  readonly host: string;
  /** Name of the repository in this registry. */
  readonly repository: string;
}

const DOCKER_HUB = "registry-1.docker.io";
/** Names of Docker's own registry that are not its host. */
const HUB_ALIASES = new Set(["docker.io", "index.docker.io", "registry.hub.docker.com"]);

/** One name for each registry. */
export const canonicalHost = (host: string): string => (HUB_ALIASES.has(host) ? DOCKER_HUB : host);

/**
 * The registry of a reference: its own, or the default.
 *
 * Over plain HTTP go, as in Mesos: the default registry where its URL says so, port 80, and any port of this machine.
 *
 * @param defaultRegistry URL, `https://registry-1.docker.io`
 */
export function endpointOf(reference: ImageReference, defaultRegistry: URL): RegistryEndpoint {
  const { registry, repository } = reference;
  const host = canonicalHost(registry ?? defaultRegistry.host);
  const isDefault = host === canonicalHost(defaultRegistry.host);
  const scheme = isDefault ? defaultRegistry.protocol : schemeOf(host);
  // Official images of Docker's registry lie in a folder that nobody writes.
  const official = host.endsWith("docker.io") && !repository.includes("/");
  return {
    origin: `${scheme}//${host}`,
    host,
    repository: official ? `library/${repository}` : repository,
  };
}

function schemeOf(host: string): "http:" | "https:" {
  const { hostname, port } = new URL(`ftp://${host}`);
  if (port === "443") return "https:";
  if (port === "80") return "http:";
  const loopback = hostname === "localhost" || hostname === "[::1]" || /^127(\.\d+){3}$/.test(hostname);
  return loopback && port !== "" ? "http:" : "https:";
}
