import { ContainerDNSInfo } from "../../proto/gen/json/mesos/internal/flags.js";
import {
  ContainerDNSInfo_DockerInfo_NetworkMode as Mode,
  type ContainerDNSInfo_DockerInfo_DNS as Settings,
} from "../../proto/gen/mesos/internal/flags.js";
import { ContainerInfo_DockerInfo_Network as Network } from "../../proto/gen/mesos/v1/mesos.js";
import type { RunDraft } from "./run-draft.js";

/** DNS settings of containers that bring none. */
export interface DefaultDns {
  readonly bridge: Settings | undefined;
  /** By name of the user's network. */
  readonly byNetwork: ReadonlyMap<string, Settings>;
  /** For the user's other networks. */
  readonly user: Settings | undefined;
}

/** The part for Docker networks of `--default_container_dns`. Throws an Error, in Mesos's words, where it makes no sense. */
export function readDefaultDns(json: unknown): DefaultDns {
  let bridge: Settings | undefined;
  let user: Settings | undefined;
  const byNetwork = new Map<string, Settings>();
  for (const { network_mode: mode, network_name: name, dns } of ContainerDNSInfo.json.read(
    typeof json === "string" ? json : JSON.stringify(json),
  ).docker) {
    const settings = dns ?? { nameservers: [], search: [], options: [] };
    if (mode === Mode.HOST) throw new Error("Configuring DNS for HOST network is not yet supported");
    if (mode === Mode.BRIDGE) {
      if (bridge !== undefined)
        throw new Error("Multiple DNS configuration for Docker bridge network is not allowed");
      bridge = settings;
    } else if (mode !== Mode.USER) {
      throw new Error("UNKNOWN network mode configured");
    } else if (name === undefined) {
      if (user !== undefined) {
        throw new Error(
          "Multiple DNS configuration without network name for user-defined network is not allowed",
        );
      }
      user = settings;
    } else if (byNetwork.has(name)) {
      throw new Error(
        `Multiple DNS configuration with the same network name '${name}' for user-defined network is not allowed`,
      );
    } else {
      byNetwork.set(name, settings);
    }
  }
  return { bridge, byNetwork, user };
}

/** @param mode the one of DockerInfo, whatever a parameter says */
export function applyDefaultDns(draft: RunDraft, defaults: DefaultDns, mode: Network): void {
  if (draft.dnsGiven) return;
  const settings =
    mode === Network.BRIDGE
      ? defaults.bridge
      : mode === Network.USER
        ? (defaults.byNetwork.get(draft.host.NetworkMode) ?? defaults.user)
        : undefined;
  if (settings === undefined) return;
  draft.host.Dns = [...settings.nameservers];
  draft.host.DnsSearch = [...settings.search];
  draft.host.DnsOptions = [...settings.options];
}
