import { isIP } from "node:net";
import * as codecs from "../../proto/gen/json/mesos/v1/mesos.js";
import type { NetworkInfo } from "../../proto/gen/mesos/v1/mesos.js";
import { isObject, type JsonObject } from "./json.js";
import { MESOS_ARGS, type NetworkConfig, type PluginConfig } from "./network-config.js";

/** How a container joins one network: plain data, written down before the first ADD, so that DEL says the same. */
export interface Attachment {
  readonly network: string;
  readonly ifName: string;
  /** What each plugin of the chain reads, but for `prevResult`. */
  readonly plugins: readonly PluginConfig[];
  /** CNI_ARGS. */
  readonly args?: string | undefined;
}

/**
 * What the container asks for is said in every way that plugins know: Mesos's `args`, `runtimeConfig` for plugins that declare the
 * capability, and for an address that is wished for also the `args.cni` and the CNI_ARGS of the conventions.
 */
export function attachmentOf(config: NetworkConfig, info: NetworkInfo, ifName: string): Attachment {
  const ips = info.ip_addresses.flatMap(({ ip_address: ip }) => ip ?? []);
  const wanted: JsonObject = {
    ...(info.port_mappings.length > 0 && { portMappings: portMappings(info) }),
    ...(ips.length > 0 && { ips }),
  };
  const told = { network_info: JSON.parse(codecs.NetworkInfo.json.write(info)) as unknown };
  return {
    network: config.name,
    ifName,
    plugins: config.plugins.map((plugin) => ({
      ...plugin,
      name: config.name,
      ...(config.cniVersion !== undefined && { cniVersion: config.cniVersion }),
      ...runtimeConfig(plugin, wanted),
      args: {
        ...(isObject(plugin.args) ? plugin.args : {}),
        ...(ips.length > 0 && { cni: { ...cniArgs(plugin), ips } }),
        [MESOS_ARGS]: told,
      },
    })),
    args: ips.length > 0 ? `IgnoreUnknown=1;IP=${ips[0]}` : undefined,
  };
}

/** What is wrong with the wishes of a container for a network; undefined when nothing is. */
export function problemWith(info: NetworkInfo): string | undefined {
  for (const { ip_address: ip } of info.ip_addresses) {
    if (ip !== undefined && !isAddress(ip)) return `'${ip}' is no IP address`;
  }
  for (const { host_port, container_port, protocol } of info.port_mappings) {
    for (const port of [host_port, container_port]) {
      if (!(Number(port) > 0 && Number(port) < 65_536)) return `a port mapping has the port ${port}`;
    }
    if (!["tcp", "udp", "sctp"].includes((protocol ?? "tcp").toLowerCase()))
      return `a port mapping has the protocol '${protocol}'`;
  }
  return undefined;
}

/** Whether somebody in the chain does what the container asks for. Plugins may also read Mesos's `args`, so this is no proof. */
export const declares = ({ plugins }: Attachment, capability: string): boolean =>
  plugins.some(({ capabilities }) => isObject(capabilities) && capabilities[capability] === true);

/** With or without a prefix length: the `static` plugin wants one. */
function isAddress(text: string): boolean {
  const [ip, prefix, ...rest] = text.split("/");
  const family = isIP(ip!);
  if (family === 0 || rest.length > 0) return false;
  return prefix === undefined || (/^\d{1,3}$/.test(prefix) && Number(prefix) <= (family === 4 ? 32 : 128));
}

function runtimeConfig({ capabilities, runtimeConfig: given }: PluginConfig, wanted: JsonObject): JsonObject {
  const declared = isObject(capabilities) ? capabilities : {};
  const entries = Object.entries(wanted).filter(([name]) => declared[name] === true);
  if (entries.length === 0) return {};
  return { runtimeConfig: { ...(isObject(given) ? given : {}), ...Object.fromEntries(entries) } };
}

const cniArgs = ({ args }: PluginConfig): JsonObject =>
  isObject(args) && isObject(args.cni) ? args.cni : {};

const portMappings = ({ port_mappings: mappings }: NetworkInfo): JsonObject[] =>
  mappings.map(({ host_port, container_port, protocol }) => ({
    hostPort: host_port,
    containerPort: container_port,
    protocol: (protocol ?? "tcp").toLowerCase(),
  }));
