import type { MasterInfo } from "../../proto/gen/mesos/v1/mesos.js";
import { MESOS_VERSION } from "../../sdk/mesos-version.js";
import { MASTER_ACTOR, MASTER_CAPABILITIES } from "./constants.js";

export interface MasterAddress {
  /** IPv4, as agents and schedulers reach it. */
  readonly ip: string;
  readonly port: number;
  readonly hostname: string;
}

/** What others are told of a master, but for its id. */
export function masterInfo({ ip, port, hostname }: MasterAddress): Omit<MasterInfo, "id"> {
  return {
    ip: packedIp(ip),
    port,
    pid: `${MASTER_ACTOR}@${ip}:${port}`,
    hostname,
    version: MESOS_VERSION,
    address: { hostname, ip, port },
    capabilities: [...MASTER_CAPABILITIES],
  };
}

/** The four bytes of an address as Mesos puts them into one number: the first one lowest. */
function packedIp(ip: string): number {
  const bytes = ip.split(".").map(Number);
  return bytes.length === 4 ? Buffer.from(bytes).readUInt32LE() : 0;
}
