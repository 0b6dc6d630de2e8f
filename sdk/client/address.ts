import { AddressError } from "./errors.js";

/** Where one daemon listens. */
export interface DaemonAddress {
  readonly protocol: "http:" | "https:";
  readonly host: string;
  readonly port: number;
  /** What a proxy in front adds before `/api/v1/...`; empty, or starts with a slash and does not end with one. */
  readonly prefix: string;
}

/** One address, a comma-separated list, or a list. */
export type AddressInput = string | readonly string[];

/**
 * Reads `host:port`, `host`, `[::1]:5050`, `http://host:port/prefix`, and lists of them.
 *
 * @throws AddressError
 */
export function parseAddresses(input: AddressInput, defaultPort: number): DaemonAddress[] {
  const texts = (typeof input === "string" ? input.split(",") : [...input]).map((text) => text.trim());
  if (texts.length === 0) throw new AddressError("the list of addresses is empty");
  return texts.map((text) => parseAddress(text, defaultPort));
}

/** @throws AddressError */
export function parseAddress(text: string, defaultPort: number): DaemonAddress {
  if (/^(zk|etcd):\/\//.test(text))
    throw new AddressError(
      `'${text}' names a coordination service; name the masters themselves, as host:port,host:port`,
    );
  const withScheme = /^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `http://${text.replace(/^\/\//, "")}`;
  let url: URL;
  try {
    url = new URL(withScheme);
  } catch {
    throw new AddressError(`'${text}' is not host:port`);
  }
  if (url.protocol !== "http:" && url.protocol !== "https:")
    throw new AddressError(`'${text}' has the scheme '${url.protocol}'; http and https are known`);
  if (url.hostname === "" || url.username !== "" || url.search !== "" || url.hash !== "")
    throw new AddressError(`'${text}' is not host:port`);
  return {
    protocol: url.protocol,
    host: url.hostname,
    port: portOf(url, withScheme, defaultPort),
    prefix: url.pathname.replace(/\/+$/, ""),
  };
}

/** `host:port`, for people and as a gRPC target. */
export function addressText({ host, port }: DaemonAddress): string {
  return `${host}:${port}`;
}

export function sameAddress(a: DaemonAddress, b: DaemonAddress): boolean {
  return a.host === b.host && a.port === b.port && a.protocol === b.protocol && a.prefix === b.prefix;
}

/** URL drops a port that is the default of its scheme, so `http://h:80` must be told from `http://h`. */
function portOf(url: URL, text: string, defaultPort: number): number {
  if (url.port !== "") return Number(url.port);
  const explicit = /^[a-z+.-]+:\/\/[^/]*:(\d+)(?:\/|$)/i.exec(text);
  return explicit === null ? defaultPort : Number(explicit[1]);
}
