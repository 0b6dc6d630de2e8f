/** The parts of an actor's address, `id@host:port`. */
export interface ActorAddress {
  readonly id: string;
  readonly host: string;
  readonly port: number;
  /** `host:port`, as written: what connections are kept by. */
  readonly endpoint: string;
}

/**
 * What may stand in an id and in a host: visible ASCII without what would end the part or break out of the request line.
 * Addresses come from peers and are written into heads.
 */
const ADDRESS = /^([!-.0-?A-~]*)@([A-Za-z0-9._-]{1,255}):(\d{1,5})$/;

/** Takes an address apart; undefined when it is none. */
export function parseAddress(text: string): ActorAddress | undefined {
  const match = ADDRESS.exec(text);
  if (match === null) return undefined;
  const [, id, host, digits] = match;
  const port = Number(digits);
  if (port < 1 || port > 65_535) return undefined;
  return { id: id!, host: host!, port, endpoint: `${host}:${port}` };
}

/** As many peers as a large cluster has; then the memory starts anew. */
const MAX_ADDRESSES = 65_536;

/** Remembers addresses that were taken apart: messages go to the same actors again and again. */
export class AddressCache {
  private readonly addresses = new Map<string, ActorAddress>();

  parse(text: string): ActorAddress | undefined {
    const known = this.addresses.get(text);
    if (known !== undefined) return known;
    const address = parseAddress(text);
    if (address === undefined) return undefined;
    if (this.addresses.size >= MAX_ADDRESSES) this.addresses.clear();
    this.addresses.set(text, address);
    return address;
  }
}
