import {
  type AgentInfo,
  type AgentInfo_Capability,
  AgentInfo_Capability_Type,
  type DomainInfo,
  type FrameworkInfo,
  FrameworkInfo_Capability_Type,
  type MasterInfo,
  MasterInfo_Capability_Type,
} from "../../proto/gen/mesos/v1/mesos.js";
import { attributesJson } from "../attributes/index.js";
import { memo } from "./memo.js";
import { quote, stringsJson } from "./text.js";

/** The port of an AgentInfo that does not name one. */
const DEFAULT_AGENT_PORT = 5051;
const DEFAULT_MASTER_PORT = 5050;

/** The fields that tell what an agent is, without the braces: id, hostname, port, attributes, domain. */
export function agentInfoFieldsJson(info: AgentInfo): string {
  const json =
    `"id":${quote(info.id?.value ?? "")},"hostname":${quote(info.hostname ?? "")}` +
    `,"port":${info.port ?? DEFAULT_AGENT_PORT},"attributes":${attributesJson(info.attributes)}`;
  return info.domain === undefined ? json : `${json},"domain":${domainJson(info.domain)}`;
}

/** As in `leader_info`. */
export const masterInfoJson = memo((info: MasterInfo): string => {
  const json =
    `"id":${quote(info.id ?? "")},"pid":${quote(info.pid ?? "")}` +
    `,"port":${info.port ?? DEFAULT_MASTER_PORT},"hostname":${quote(info.hostname ?? "")}`;
  return info.domain === undefined ? `{${json}}` : `{${json},"domain":${domainJson(info.domain)}}`;
});

export function domainJson(domain: DomainInfo): string {
  const fault = domain.fault_domain;
  if (fault === undefined) return "{}";
  const name = (place: { name?: string | undefined } | undefined): string =>
    `{"name":${quote(place?.name ?? "")}}`;
  return `{"fault_domain":{"region":${name(fault.region)},"zone":${name(fault.zone)}}}`;
}

export function agentCapabilitiesJson(all: readonly AgentInfo_Capability[]): string {
  return stringsJson(all.map(({ type }) => AgentInfo_Capability_Type[type ?? 0] ?? "UNKNOWN"));
}

export const masterCapabilitiesJson = memo((info: MasterInfo): string =>
  stringsJson(info.capabilities.map(({ type }) => MasterInfo_Capability_Type[type ?? 0] ?? "UNKNOWN")),
);

export const frameworkCapabilitiesJson = memo((info: FrameworkInfo): string =>
  stringsJson(info.capabilities.map(({ type }) => FrameworkInfo_Capability_Type[type ?? 0] ?? "UNKNOWN")),
);
