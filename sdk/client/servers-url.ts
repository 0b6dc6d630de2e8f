import { isIPv4, isIPv6 } from "node:net";

export interface ServerAddress {
  /** Name or address, without brackets. */
  readonly host: string;
  readonly port: number;
}

/** What `scheme://[user:password@]host:port[,host:port...]/path` says. */
export interface ServersUrl {
  readonly servers: readonly ServerAddress[];
  /** `user:password`. Never to be shown. */
  readonly credentials: string | undefined;
  /** Absolute, without a slash at its end; never the root. */
  readonly path: string;
}

export interface ServersUrlForm {
  /** `zk://` */
  readonly scheme: string;
  /** Where none is given. */
  readonly port: number;
  /** Whose path it is, for errors: `ZooKeeper`. */
  readonly engine: string;
  /** Makes the error; its text never shows the credentials. */
  readonly invalid: (detail: string) => Error;
}

/** More servers than any ensemble has: a list that long is not one of servers. */
const MOST_SERVERS = 100;

export const hasScheme = (text: string, scheme: string): boolean =>
  text.trim().toLowerCase().startsWith(scheme);

/** Reads the URL of an ensemble. Throws what `form.invalid` makes. */
export function parseServersUrl(text: string, form: ServersUrlForm): ServersUrl {
  const { scheme, invalid } = form;
  const url = text.trim();
  if (!hasScheme(url, scheme)) throw invalid(`it must begin with ${scheme}`);
  const rest = url.slice(scheme.length);
  const slash = rest.indexOf("/");
  const authority = slash < 0 ? rest : rest.slice(0, slash);
  // A password may hold an '@', a host cannot.
  const at = authority.lastIndexOf("@");
  return {
    credentials: at < 0 ? undefined : credentialsOf(authority.slice(0, at), form),
    servers: serversOf(authority.slice(at + 1), form),
    path: pathOf(slash < 0 ? "" : rest.slice(slash), form),
  };
}

/** `host:port`, IPv6 addresses in brackets. */
export const describeServer = ({ host, port }: ServerAddress): string =>
  `${isIPv6(host) ? `[${host}]` : host}:${port}`;

/** The URL without its credentials, for logs. */
export const describeServersUrl = (
  scheme: string,
  { servers, path }: Pick<ServersUrl, "servers" | "path">,
): string => `${scheme}${servers.map(describeServer).join(",")}${path}`;

function credentialsOf(text: string, { invalid }: ServersUrlForm): string {
  const colon = text.indexOf(":");
  if (colon < 1 || colon === text.length - 1) {
    throw invalid("what stands before the '@' must be user:password");
  }
  return text;
}

function serversOf(text: string, form: ServersUrlForm): ServerAddress[] {
  const parts = text.split(",");
  if (parts.length > MOST_SERVERS) throw form.invalid(`it names ${parts.length} servers`);
  const servers = new Map<string, ServerAddress>();
  for (const part of parts) {
    const server = serverOf(part.trim(), form);
    servers.set(describeServer(server), server);
  }
  return [...servers.values()];
}

function serverOf(text: string, form: ServersUrlForm): ServerAddress {
  const { invalid } = form;
  if (text === "") throw invalid("it names no server, or has a comma too many");
  const bracketed = /^\[([^\]]*)\](?::(\d{1,5}))?$/.exec(text);
  if (bracketed !== null) {
    const host = bracketed[1]!;
    if (!isIPv6(host)) throw invalid(`'${host}' is no IPv6 address`);
    return { host, port: portOf(bracketed[2], text, form) };
  }
  if (isIPv6(text)) throw invalid(`write the IPv6 address in brackets: [${text}]:${form.port}`);
  const plain = /^([^:[\]]+)(?::(\d{1,5}))?$/.exec(text);
  if (plain === null) throw invalid(`'${text}' is not host:port`);
  const host = plain[1]!;
  if (!isHost(host)) throw invalid(`'${host}' is no host name`);
  return { host, port: portOf(plain[2], text, form) };
}

function portOf(digits: string | undefined, server: string, form: ServersUrlForm): number {
  const port = digits === undefined ? form.port : Number(digits);
  if (port < 1 || port > 65_535) throw form.invalid(`'${server}' has no valid port; expected 1 to 65535`);
  return port;
}

function isHost(text: string): boolean {
  if (/^[\d.]+$/.test(text)) return isIPv4(text);
  return (
    text.length <= 253 &&
    /^[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*\.?$/i.test(text)
  );
}

function pathOf(text: string, { invalid, engine }: ServersUrlForm): string {
  const path = text.replace(/\/+$/, "");
  if (path === "") throw invalid("it needs a path, such as /mesos ('/' is not supported)");
  for (const segment of path.slice(1).split("/")) {
    if (segment === "" || segment === "." || segment === "..") {
      throw invalid(`the path '${path}' has the segment '${segment}'`);
    }
    // What ZooKeeper refuses in paths, and nobody should have in any.
    if (/[\p{Cc}\p{Cs}\p{Co}\ufff0-\uffff]/u.test(segment)) {
      throw invalid(`the path has characters that ${engine} does not take`);
    }
  }
  return path;
}
