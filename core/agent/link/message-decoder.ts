const PACKAGE = "mesos.internal.";

/** Message types by name, without the package. */
type Codecs = Readonly<Record<string, { decode(bytes: Uint8Array): unknown }>>;

/** A message of one of these types, by its name. */
export type DecodedMessage<C extends Codecs> = {
  [N in keyof C]: { readonly name: N; readonly body: ReturnType<C[N]["decode"]> };
}[keyof C];

/** Makes a decoder for these types that takes full names; it returns undefined for other names, and throws what the codecs throw. */
export function messageDecoder<C extends Codecs>(
  codecs: C,
): (name: string, body: Uint8Array) => DecodedMessage<C> | undefined;
export function messageDecoder(codecs: Codecs) {
  return (name: string, body: Uint8Array): { name: string; body: unknown } | undefined => {
    if (!name.startsWith(PACKAGE)) return undefined;
    const short = name.slice(PACKAGE.length);
    return Object.hasOwn(codecs, short) ? { name: short, body: codecs[short]!.decode(body) } : undefined;
  };
}
