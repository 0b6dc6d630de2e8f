import * as codecs from "../../proto/gen/json/mesos/internal/flags.js";
import {
  type ContainerDNSInfo,
  type ContainerDNSInfo_CniDns,
  ContainerDNSInfo_MesosInfo_NetworkMode as Mode,
} from "../../proto/gen/mesos/internal/flags.js";
import type { Dns } from "./result.js";

/** DNS settings of networks whose plugins give none. */
export interface DefaultDns {
  readonly byNetwork: ReadonlyMap<string, Dns>;
  /** For all others. */
  readonly fallback: Dns | undefined;
}

/** The part for CNI networks of `--default_container_dns`. Throws an Error, in Mesos's words, where it makes no sense. */
export function readDefaultDns(json: unknown): DefaultDns {
  const byNetwork = new Map<string, Dns>();
  let fallback: Dns | undefined;
  const { mesos }: ContainerDNSInfo = codecs.ContainerDNSInfo.json.fromValue(json);
  for (const { network_mode: mode, network_name: name, dns } of mesos) {
    if (mode === Mode.HOST) throw new Error("Configuring DNS for HOST network is not yet supported");
    if (mode !== Mode.CNI) throw new Error("UNKNOWN network mode configured");
    if (name === undefined) {
      if (fallback !== undefined)
        throw new Error("Multiple DNS configuration without network name for CNI network is not allowed");
      fallback = dnsOf(dns);
    } else {
      if (byNetwork.has(name)) {
        throw new Error(
          `Multiple DNS configuration with the same network name '${name}' for CNI network is not allowed`,
        );
      }
      byNetwork.set(name, dnsOf(dns));
    }
  }
  return { byNetwork, fallback };
}

const dnsOf = (dns: ContainerDNSInfo_CniDns | undefined): Dns =>
  dns ?? { nameservers: [], search: [], options: [] };
