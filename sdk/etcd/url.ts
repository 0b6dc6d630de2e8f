import { describeServersUrl, hasScheme, parseServersUrl, type ServersUrl } from "../client/servers-url.js";
import { TepuiError } from "../errors/index.js";

/** What `etcd://[user:password@]host:port[,host:port...]/path` says. */
export interface EtcdUrl extends ServersUrl {
  /** `etcds://`: over TLS. */
  readonly secure: boolean;
}

const PLAIN = "etcd://";
const SECURE = "etcds://";
const DEFAULT_PORT = 2379;

export const isEtcdUrl = (text: string): boolean => hasScheme(text, PLAIN) || hasScheme(text, SECURE);

/** Throws TepuiError TEPUI_ETCD_URL_INVALID, whose text never shows the credentials. */
export function parseEtcdUrl(text: string): EtcdUrl {
  const secure = hasScheme(text, SECURE);
  const url = parseServersUrl(text, {
    scheme: secure ? SECURE : PLAIN,
    port: DEFAULT_PORT,
    engine: "etcd",
    invalid: (detail) => new TepuiError("TEPUI_ETCD_URL_INVALID", { detail }),
  });
  return { ...url, secure };
}

/** The URL without its credentials, for logs. */
export const describeEtcdUrl = (url: Pick<EtcdUrl, "servers" | "path" | "secure">): string =>
  describeServersUrl(url.secure ? SECURE : PLAIN, url);
