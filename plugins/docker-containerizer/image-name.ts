/** An image's name as `docker pull` takes it, taken apart. */
export interface ImageName {
  /** With the registry, where one is named: `busybox`, `registry.example.com/team/app`. */
  readonly name: string;
  /** Or its digest, `sha256:...`. */
  readonly tag: string;
  /** Host, with a port where one is named; `docker.io` when none is. */
  readonly registry: string;
}

export function imageName(text: string): ImageName {
  const [plain = "", digest] = text.split("@", 2);
  const slash = plain.lastIndexOf("/");
  const colon = plain.indexOf(":", slash + 1);
  const name = colon < 0 ? plain : plain.slice(0, colon);
  const tag = digest ?? (colon < 0 ? "latest" : plain.slice(colon + 1));
  return { name, tag, registry: registryOf(name) };
}

/** The first part is a host when it looks like one. */
function registryOf(name: string): string {
  const at = name.indexOf("/");
  const first = at < 0 ? "" : name.slice(0, at);
  const isHost = first === "localhost" || /[.:]/.test(first) || first !== first.toLowerCase();
  return isHost ? first : "docker.io";
}
