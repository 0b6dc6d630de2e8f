import { isIP } from "node:net";
import { isObject, type JsonObject, textsOf } from "./json.js";

export interface Address {
  readonly family: 4 | 6;
  /** Without prefix length. */
  readonly ip: string;
}

export interface Dns {
  readonly nameservers: readonly string[];
  readonly domain?: string | undefined;
  readonly search: readonly string[];
  readonly options: readonly string[];
}

/** What ADD answered, of whatever version: 0.1.0 and 0.2.0 (`ip4`, `ip6`) or 0.3.0 to 1.x (`ips`). */
export interface NetworkResult {
  /** Of the container's interface, in the plugin's order. */
  readonly addresses: readonly Address[];
  readonly dns: Dns;
}

/** Throws an Error where it is no result. */
export function parseResult(value: JsonObject): NetworkResult {
  const { ips, dns } = value;
  if (ips !== undefined && !Array.isArray(ips)) throw new Error("its 'ips' is no list");
  const addresses =
    ips === undefined ? [value.ip4, value.ip6].flatMap(oldAddress) : ips.flatMap((ip) => address(ip, value));
  return { addresses, dns: parseDns(dns) };
}

/** The plugin's output. Throws an Error where it is no JSON object. */
export function readResult(output: string): JsonObject {
  let value: unknown;
  try {
    value = JSON.parse(output);
  } catch {
    throw new Error(output.trim() === "" ? "it said nothing" : `it said '${output.slice(0, 200)}'`);
  }
  if (!isObject(value)) throw new Error(`it said '${output.slice(0, 200)}'`);
  // What a chain goes on with must be a result already here.
  parseResult(value);
  return value;
}

function address(ip: unknown, { interfaces }: JsonObject): Address[] {
  if (!isObject(ip)) throw new Error("it has an IP that is no object");
  // Plugins also report addresses of interfaces that they made on the host: those have no sandbox.
  const owner = Array.isArray(interfaces) ? interfaces[Number(ip.interface)] : undefined;
  if (isObject(owner) && (owner.sandbox === undefined || owner.sandbox === "")) return [];
  return [parseAddress(ip.address)];
}

function oldAddress(config: unknown): Address[] {
  if (config === undefined || config === null) return [];
  if (!isObject(config)) throw new Error("its IP configuration is no object");
  return [parseAddress(config.ip)];
}

function parseAddress(value: unknown): Address {
  const ip = typeof value === "string" ? value.split("/")[0]! : "";
  const family = isIP(ip);
  if (family !== 4 && family !== 6) throw new Error(`it has the address '${String(value)}'`);
  return { family, ip };
}

function parseDns(value: unknown): Dns {
  const dns = isObject(value) ? value : {};
  return {
    nameservers: textsOf(dns.nameservers),
    domain: typeof dns.domain === "string" && dns.domain !== "" ? dns.domain : undefined,
    search: textsOf(dns.search),
    options: textsOf(dns.options),
  };
}
