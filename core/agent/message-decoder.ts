const PACKAGE = "mesos.internal.";

/** Message types by their names without the package. */
type Decoders<Bodies> = { readonly [N in keyof Bodies]: { decode(bytes: Uint8Array): Bodies[N] } };

type NamedBody<Bodies> = {
  [N in keyof Bodies]: { readonly name: N; readonly body: Bodies[N] };
}[keyof Bodies];

/** Reads messages of these types by their full names; gives undefined for others. Throws what their decoders throw. */
export function messageDecoder<Bodies>(
  decoders: Decoders<Bodies>,
): (name: string, body: Uint8Array) => NamedBody<Bodies> | undefined {
  return (name, body) => {
    if (!name.startsWith(PACKAGE)) return undefined;
    const short = name.slice(PACKAGE.length);
    if (!Object.hasOwn(decoders, short)) return undefined;
    const key = short as keyof Bodies;
    return { name: key, body: decoders[key].decode(body) };
  };
}
