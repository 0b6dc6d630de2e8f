import {
  describeServersUrl,
  hasScheme,
  parseServersUrl,
  type ServerAddress,
  type ServersUrl,
} from "../client/servers-url.js";
import { TepuiError } from "../errors/index.js";

export { describeServer } from "../client/servers-url.js";

export type ZooKeeperServer = ServerAddress;

/** The parsed form of `zk://[user:password@]host:port[,host:port...]/path`; the credentials are for digest authentication. */
export type ZooKeeperUrl = ServersUrl;

const SCHEME = "zk://";
const DEFAULT_PORT = 2181;

export const isZooKeeperUrl = (text: string): boolean => hasScheme(text, SCHEME);

/** Throws TepuiError TEPUI_ZOOKEEPER_URL_INVALID, whose text never shows the credentials. */
export function parseZooKeeperUrl(text: string): ZooKeeperUrl {
  return parseServersUrl(text, {
    scheme: SCHEME,
    port: DEFAULT_PORT,
    engine: "ZooKeeper",
    invalid: (detail) => new TepuiError("TEPUI_ZOOKEEPER_URL_INVALID", { detail }),
  });
}

/** The URL without its credentials, for logs. */
export const describeUrl = (url: Pick<ZooKeeperUrl, "servers" | "path">): string =>
  describeServersUrl(SCHEME, url);
