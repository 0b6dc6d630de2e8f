const CRLF = "\r\n";

/** Ends a body of chunks. */
export const LAST_CHUNK = Buffer.from("0\r\n\r\n");

/** Each part as a chunk of its own, all in one buffer. Parts must not be empty: that would end the body. */
export function inChunks(parts: readonly Uint8Array[]): Buffer {
  const sizes = parts.map(({ length }) => `${length.toString(16)}${CRLF}`);
  let total = 0;
  for (let i = 0; i < parts.length; i++) total += sizes[i]!.length + parts[i]!.length + CRLF.length;
  const framed = Buffer.allocUnsafe(total);
  let at = 0;
  for (let i = 0; i < parts.length; i++) {
    const part = parts[i]!;
    at += framed.write(sizes[i]!, at, "latin1");
    framed.set(part, at);
    at += part.length;
    at += framed.write(CRLF, at, "latin1");
  }
  return framed;
}
