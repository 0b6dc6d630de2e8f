import type { DomainInfo, MasterInfo } from "../../proto/gen/mesos/v1/mesos.js";
import { MESOS_VERSION } from "../../sdk/mesos-version.js";
import { MASTER_ACTOR, MASTER_CAPABILITIES } from "./constants.js";

export interface MasterAddress {
  /** An IPv4 address at which agents and schedulers reach it. */
  readonly ip: string;
  readonly port: number;
  readonly hostname: string;
  readonly domain?: DomainInfo | undefined;
}

/** What others are told about a master, except its id. */
export function masterInfo({ ip, port, hostname, domain }: MasterAddress): Omit<MasterInfo, "id"> {
  return {
    ip: packedIp(ip),
    port,
    pid: `${MASTER_ACTOR}@${ip}:${port}`,
    hostname,
    version: MESOS_VERSION,
    address: { hostname, ip, port },
    domain,
    capabilities: [...MASTER_CAPABILITIES],
  };
}

/** The four bytes of an address as Mesos packs them into one number: the first byte lowest. */
function packedIp(ip: string): number {
  const bytes = ip.split(".").map(Number);
  return bytes.length === 4 ? Buffer.from(bytes).readUInt32LE() : 0;
}

/** Why two masters cannot belong to one cluster: all masters must be in one region. Undefined: they can, or one has no domain. */
export function regionConflict(leader: MasterInfo, self: MasterInfo): string | undefined {
  const [theirs, ours] = [leader.domain?.fault_domain, self.domain?.fault_domain];
  if (theirs === undefined || ours === undefined || theirs.region?.name === ours.region?.name)
    return undefined;
  return (
    `The leading master ${leader.pid ?? ""} is in region '${theirs.region?.name}', this master is configured to be in region ` +
    `'${ours.region?.name}'; all masters of a cluster must be in the same region`
  );
}
