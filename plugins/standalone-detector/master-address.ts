import { isIPv4 } from "node:net";
import type { MasterInfo } from "../../proto/gen/mesos/v1/mesos.js";

/** Where a master is said to listen; the host may still be a name. */
export interface MasterAddress {
  readonly host: string;
  readonly port: number;
}

export type ParsedAddress =
  | { readonly ok: true; readonly value: MasterAddress }
  | { readonly ok: false; readonly error: string };

const refuse = (error: string): ParsedAddress => ({ ok: false, error });

/** Reads the value of `--master`: `host:port` or `master@host:port`. */
export function parseMasterAddress(text: string): ParsedAddress {
  const value = text.trim();
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(value)?.[1]?.toLowerCase();
  if (scheme === "zk") {
    return refuse(
      `'${withoutPassword(value)}' names a ZooKeeper ensemble, which a fixed master address cannot follow; give host:port, or load a plugin that elects through ZooKeeper`,
    );
  }
  if (scheme !== undefined) {
    return refuse(`'${withoutPassword(value)}' is a URL (${scheme}); expected host:port or master@host:port`);
  }
  const parts = /^(?:master@)?([^@:\s/]+):(\d{1,5})$/.exec(value);
  const port = Number(parts?.[2]);
  if (parts === null) return refuse(`'${value}' is not an address; expected host:port or master@host:port`);
  if (port < 1 || port > 65535) return refuse(`'${value}' has no valid port; expected 1 to 65535`);
  return { ok: true, value: { host: parts[1]!, port } };
}

/** What is known of a master of which only the address is known; the same fields as Mesos fills in. */
export function masterInfoOf(options: { address: MasterAddress; ip: string; uuid: string }): MasterInfo {
  const { address, ip, uuid } = options;
  const pid = `master@${ip}:${address.port}`;
  return {
    id: `${pid}-${uuid}`,
    ip: networkOrder(ip),
    port: address.port,
    pid,
    hostname: address.host,
    address: { hostname: address.host, ip, port: address.port },
    capabilities: [],
  };
}

/** The address as Mesos puts it into `MasterInfo.ip`: the bytes in network order, read as a little-endian number. */
function networkOrder(ip: string): number {
  if (!isIPv4(ip)) return 0;
  const [a = 0, b = 0, c = 0, d = 0] = ip.split(".").map(Number);
  return (a | (b << 8) | (c << 16) | (d << 24)) >>> 0;
}

/** ZooKeeper URLs may carry credentials; they must not reach logs. */
function withoutPassword(url: string): string {
  return url.replace(/\/\/[^/@]*@/, "//***@");
}
