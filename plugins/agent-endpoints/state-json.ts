import * as codecs from "../../proto/gen/json/mesos/v1/mesos.js";
import { attributesJson } from "../../sdk/attributes/index.js";
import type { AgentView } from "../../sdk/contracts/agent-view.js";
import {
  reservedResourceListsJson,
  reservedResourcesJson,
  resourceListJson,
  resourcesJson,
} from "../../sdk/resources/index.js";
import {
  agentCapabilitiesJson,
  type BuildInfo,
  buildFieldsJson,
  domainJson,
  listOf,
  mapJson,
  quote,
  timeJson,
} from "../../sdk/v0-json/index.js";
import { frameworkJson } from "./framework-json.js";

const drainConfig = codecs.DrainConfig.json;

/** GET /state. */
export function stateJson(view: AgentView, build: BuildInfo): string {
  const { info, pid, capabilities, startTime, flags, total, allocated } = view;
  const unreserved = total.unreserved();
  const masterHostname = view.masterHostname();
  let json =
    `${buildFieldsJson(build)},"start_time":${timeJson(startTime)},"id":${quote(info.id?.value ?? "")}` +
    `,"pid":${quote(pid)},"hostname":${quote(info.hostname ?? "")},"capabilities":${agentCapabilitiesJson(capabilities)}`;
  if (info.domain !== undefined) json += `,"domain":${domainJson(info.domain)}`;
  if (view.drainConfig !== undefined) json += `,"drain_config":${drainConfig.write(view.drainConfig)}`;
  const drainStart = view.estimatedDrainStartTime;
  if (drainStart !== undefined) json += `,"estimated_drain_start_time_seconds":${Math.floor(drainStart)}`;
  json +=
    `,"resources":${resourcesJson(total)},"reserved_resources":${reservedResourcesJson(total)}` +
    `,"unreserved_resources":${resourcesJson(unreserved)},"reserved_resources_full":${reservedResourceListsJson(total)}` +
    `,"unreserved_resources_full":${resourceListJson(unreserved)}` +
    `,"reserved_resources_allocated":${reservedResourcesJson(allocated)}` +
    `,"unreserved_resources_allocated":${resourcesJson(allocated.unreserved())}` +
    `,"resource_providers":[],"attributes":${attributesJson(info.attributes)}`;
  if (masterHostname !== undefined) json += `,"master_hostname":${quote(masterHostname)}`;
  for (const name of ["log_dir", "external_log_file"]) {
    const value = flags.get(name);
    if (value !== undefined) json += `,"${name}":${quote(value)}`;
  }
  return (
    `{${json},"flags":${mapJson(flags)},"frameworks":${listOf(view.frameworks(), frameworkJson)}` +
    `,"completed_frameworks":${listOf(view.completedFrameworks(), frameworkJson)}}`
  );
}
