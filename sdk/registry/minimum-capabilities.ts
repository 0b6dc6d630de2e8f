import type { Registry_MinimumCapability } from "../../proto/gen/mesos/internal/registry.js";
import { MasterInfo_Capability_Type as Capability, type MasterInfo } from "../../proto/gen/mesos/v1/mesos.js";

type Needed = Registry_MinimumCapability[];

/** The list with or without a capability; the same list if nothing changes. */
export function withCapability(list: Needed, name: keyof typeof Capability, needed: boolean): Needed {
  if (list.some(({ capability }) => capability === name) === needed) return list;
  return needed ? [...list, { capability: name }] : list.filter(({ capability }) => capability !== name);
}

/** What a master must support to read this registry correctly, and does not. Names of MasterInfo.Capability.Type. */
export function missingCapabilities(
  needed: readonly Registry_MinimumCapability[],
  master: Pick<MasterInfo, "capabilities">,
): string[] {
  const has = new Set(master.capabilities.map(({ type }) => Capability[type ?? 0]));
  return needed.map(({ capability = "" }) => capability).filter((name) => !has.has(name));
}
