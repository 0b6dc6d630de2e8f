import { isIPv4, isIPv6 } from "node:net";
import { TepuiError } from "../errors/index.js";

export interface ZooKeeperServer {
  /** Name or address, without brackets. */
  readonly host: string;
  readonly port: number;
}

/** What `zk://[user:password@]host:port[,host:port...]/path` says. */
export interface ZooKeeperUrl {
  readonly servers: readonly ZooKeeperServer[];
  /** `user:password` for digest authentication. Never to be shown. */
  readonly credentials: string | undefined;
  /** Absolute, without a slash at its end; never the root. */
  readonly path: string;
}

const SCHEME = "zk://";
const DEFAULT_PORT = 2181;

/** More servers than any ensemble has: a list that long is not one of servers. */
const MOST_SERVERS = 100;

export const isZooKeeperUrl = (text: string): boolean => /^zk:\/\//i.test(text.trim());

/** Throws TepuiError TEPUI_ZOOKEEPER_URL_INVALID, whose text never shows the credentials. */
export function parseZooKeeperUrl(text: string): ZooKeeperUrl {
  const url = text.trim();
  if (!isZooKeeperUrl(url)) throw invalid(`it must begin with ${SCHEME}`);
  const rest = url.slice(SCHEME.length);
  const slash = rest.indexOf("/");
  const authority = slash < 0 ? rest : rest.slice(0, slash);
  // A password may hold an '@', a host cannot.
  const at = authority.lastIndexOf("@");
  return {
    credentials: at < 0 ? undefined : credentialsOf(authority.slice(0, at)),
    servers: serversOf(authority.slice(at + 1)),
    path: pathOf(slash < 0 ? "" : rest.slice(slash)),
  };
}

/** The URL without its credentials, for logs. */
export function describeUrl({ servers, path }: Pick<ZooKeeperUrl, "servers" | "path">): string {
  return `${SCHEME}${servers.map(describeServer).join(",")}${path}`;
}

export const describeServer = ({ host, port }: ZooKeeperServer): string =>
  `${isIPv6(host) ? `[${host}]` : host}:${port}`;

const invalid = (detail: string): TepuiError => new TepuiError("TEPUI_ZOOKEEPER_URL_INVALID", { detail });

function credentialsOf(text: string): string {
  const colon = text.indexOf(":");
  if (colon < 1 || colon === text.length - 1) {
    throw invalid("what stands before the '@' must be user:password");
  }
  return text;
}

function serversOf(text: string): ZooKeeperServer[] {
  const parts = text.split(",");
  if (parts.length > MOST_SERVERS) throw invalid(`it names ${parts.length} servers`);
  const servers = new Map<string, ZooKeeperServer>();
  for (const part of parts) {
    const server = serverOf(part.trim());
    servers.set(describeServer(server), server);
  }
  return [...servers.values()];
}

function serverOf(text: string): ZooKeeperServer {
  if (text === "") throw invalid("it names no server, or has a comma too many");
  const bracketed = /^\[([^\]]*)\](?::(\d{1,5}))?$/.exec(text);
  if (bracketed !== null) {
    const host = bracketed[1]!;
    if (!isIPv6(host)) throw invalid(`'${host}' is no IPv6 address`);
    return { host, port: portOf(bracketed[2], text) };
  }
  if (isIPv6(text)) throw invalid(`write the IPv6 address in brackets: [${text}]:${DEFAULT_PORT}`);
  const plain = /^([^:[\]]+)(?::(\d{1,5}))?$/.exec(text);
  if (plain === null) throw invalid(`'${text}' is not host:port`);
  const host = plain[1]!;
  if (!isHost(host)) throw invalid(`'${host}' is no host name`);
  return { host, port: portOf(plain[2], text) };
}

function portOf(digits: string | undefined, server: string): number {
  const port = digits === undefined ? DEFAULT_PORT : Number(digits);
  if (port < 1 || port > 65_535) throw invalid(`'${server}' has no valid port; expected 1 to 65535`);
  return port;
}

function isHost(text: string): boolean {
  if (/^[\d.]+$/.test(text)) return isIPv4(text);
  return (
    text.length <= 253 &&
    /^[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*\.?$/i.test(text)
  );
}

function pathOf(text: string): string {
  const path = text.replace(/\/+$/, "");
  if (path === "") throw invalid("it needs a path, such as /mesos ('/' is not supported)");
  for (const segment of path.slice(1).split("/")) {
    if (segment === "" || segment === "." || segment === "..") {
      throw invalid(`the path '${path}' has the segment '${segment}'`);
    }
    // What ZooKeeper refuses in paths.
    if (/[\p{Cc}\p{Cs}\p{Co}\ufff0-\uffff]/u.test(segment)) {
      throw invalid("the path has characters that ZooKeeper does not take");
    }
  }
  return path;
}
