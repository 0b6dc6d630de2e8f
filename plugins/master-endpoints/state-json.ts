import type { AgentInfo } from "../../proto/gen/mesos/v1/mesos.js";
import type { AgentRecord, MasterView } from "../../sdk/contracts/master-view.js";
import {
  agentInfoFieldsJson,
  type BuildInfo,
  buildFieldsJson,
  domainJson,
  listOf,
  mapJson,
  masterCapabilitiesJson,
  masterInfoJson,
  quote,
  timeJson,
} from "../../sdk/v0-json/index.js";
import { agentFieldsJson } from "./agent-json.js";
import { frameworkJson } from "./framework-json.js";

/**
 * How `leader` is shown: `text` is the pid, as Mesos has it; `object` is what programs for very old versions expect of
 * `/state.json`: id, hostname, port and pid.
 */
export type LeaderForm = "text" | "object";

/** GET /state. */
export function stateJson(view: MasterView, build: BuildInfo, leader: LeaderForm): string {
  return (
    `{${headJson(view, build, leader)},"slaves":${listOf(view.agents(), agentJson)}` +
    `,"recovered_slaves":${listOf(view.recoveredAgents(), recoveredAgentJson)}` +
    `,"frameworks":${listOf(view.frameworks(), frameworkJson)}` +
    `,"completed_frameworks":${listOf(view.completedFrameworks(), frameworkJson)}` +
    `,"orphan_tasks":[],"unregistered_frameworks":[]}`
  );
}

export function recoveredAgentJson(info: AgentInfo): string {
  return `{${agentInfoFieldsJson(info)}}`;
}

const agentJson = (agent: AgentRecord): string => `{${agentFieldsJson(agent)}}`;

function headJson(view: MasterView, build: BuildInfo, form: LeaderForm): string {
  const { info, startTime, electedTime, cluster, flags } = view;
  const { leader } = view.leadership();
  let json = `${buildFieldsJson(build)},"start_time":${timeJson(startTime)}`;
  if (electedTime !== undefined) json += `,"elected_time":${timeJson(electedTime)}`;
  json +=
    `,"id":${quote(info.id ?? "")},"pid":${quote(info.pid ?? "")},"hostname":${quote(info.hostname ?? "")}` +
    `,"capabilities":${masterCapabilitiesJson(info)},${countsJson(view)}`;
  if (info.domain !== undefined) json += `,"domain":${domainJson(info.domain)}`;
  if (leader !== undefined) {
    json += `,"leader":${form === "text" ? quote(leader.pid ?? "") : leaderObjectJson(leader)}`;
    json += `,"leader_info":${masterInfoJson(leader)}`;
  }
  if (cluster !== undefined) json += `,"cluster":${quote(cluster)}`;
  for (const name of ["log_dir", "external_log_file"]) {
    const value = flags.get(name);
    if (value !== undefined) json += `,"${name}":${quote(value)}`;
  }
  return `${json},"flags":${mapJson(flags)}`;
}

function countsJson(view: MasterView): string {
  let active = 0;
  let all = 0;
  for (const agent of view.agents()) {
    all++;
    if (agent.active) active++;
  }
  return `"activated_slaves":${active}.0,"deactivated_slaves":${all - active}.0,"unreachable_slaves":${view.unreachableAgents()}.0`;
}

function leaderObjectJson({ id = "", hostname = "", port = 5050, pid = "" }: MasterView["info"]): string {
  return `{"id":${quote(id)},"hostname":${quote(hostname)},"port":${port},"pid":${quote(pid)}}`;
}
