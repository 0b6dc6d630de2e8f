/**
 * Does a list such as `Accept` or `Accept-Encoding` allow one of the candidates? Follows libprocess: candidates are tried
 * in their order (the specific before the wildcard), and the first list element that names one decides: it allows unless its
 * `q` is zero or no number. Names are compared without case; blanks do not count; other parameters are ignored.
 */
function listAllows(header: string, candidates: readonly string[]): boolean {
  const elements = header.replace(/[ \t\n]/g, "").split(",");
  for (const candidate of candidates) {
    for (const element of elements) {
      const [name, ...parameters] = element.split(";");
      if (name === undefined || name.toLowerCase() !== candidate) continue;
      const qualities = parameters.filter((parameter) => parameter.startsWith("q="));
      // Without a q, or with several, libprocess takes the element as if it had none.
      if (qualities.length !== 1) return true;
      return Number.parseFloat(qualities[0]!.slice(2)) > 0;
    }
  }
  return false;
}

/** May the answer be compressed with gzip? Only when the client says so. */
export function acceptsGzip(acceptEncoding: string | string[] | undefined): boolean {
  if (acceptEncoding === undefined || acceptEncoding.length === 0) return false;
  return listAllows(String(acceptEncoding), ["gzip", "*"]);
}

/**
 * May the answer have this media type? A missing header allows everything; an empty one allows nothing, as in libprocess.
 *
 * @param mediaType lower case, `application/json`
 */
export function acceptsMediaType(accept: string | undefined, mediaType: string): boolean {
  if (accept === undefined) return true;
  const type = mediaType.slice(0, mediaType.indexOf("/"));
  return listAllows(accept, [mediaType, `${type}/*`, "*/*"]);
}
