import * as codecs from "../../proto/gen/json/mesos/v1/mesos.js";
import type { AgentRecord } from "../../sdk/contracts/master-view.js";
import {
  type Resources,
  reservedResourceListsJson,
  reservedResourcesJson,
  resourceListJson,
  resourcesJson,
} from "../../sdk/resources/index.js";
import {
  agentCapabilitiesJson,
  agentInfoFieldsJson,
  flatten,
  memo,
  quote,
  timeJson,
} from "../../sdk/v0-json/index.js";

const drain = codecs.DrainInfo.json;

/** What the text of an agent was made of. Records change, what is in them is replaced. */
interface Made {
  readonly info: AgentRecord["info"];
  readonly pid: string;
  readonly version: string;
  readonly capabilities: AgentRecord["capabilities"];
  readonly registeredTime: number;
  readonly reregisteredTime: number | undefined;
  readonly total: Resources;
  /** Up to `used_resources`, from `reserved_resources` to `unreserved_resources`, and from `version` on. */
  readonly head: string;
  readonly reservations: string;
  readonly tail: string;
  drainInfo: AgentRecord["drainInfo"];
  drainStart: number | undefined;
  used: Resources;
  offered: Resources;
  active: boolean;
  deactivated: boolean;
  text: string;
}

const made = new WeakMap<AgentRecord, Made>();

/** An agent as `/state` and `/state-summary` show it, without the braces. Made anew only where the agent has changed. */
export function agentFieldsJson(agent: AgentRecord): string {
  const known = made.get(agent);
  if (known === undefined || !isCurrent(known, agent)) {
    const fresh = make(agent);
    made.set(agent, fresh);
    return fresh.text;
  }
  const { used, offered, active, deactivated, drainInfo, estimatedDrainStartTime: drainStart } = agent;
  if (
    known.drainInfo !== drainInfo ||
    known.drainStart !== drainStart ||
    known.used !== used ||
    known.offered !== offered ||
    known.active !== active ||
    known.deactivated !== deactivated
  ) {
    Object.assign(known, { used, offered, active, deactivated, drainInfo, drainStart });
    known.text = textOf(known);
  }
  return known.text;
}

/** An agent as `/slaves` shows it: with its resources also as lists of Resource objects. */
export function fullAgentJson(agent: AgentRecord): string {
  return (
    `{${agentFieldsJson(agent)},"reserved_resources_full":${reservedLists(agent.total)}` +
    `,"unreserved_resources_full":${unreservedList(agent.total)}` +
    `,"used_resources_full":${resourceListJson(agent.used)},"offered_resources_full":${resourceListJson(agent.offered)}}`
  );
}

const reservedLists = memo((total: Resources): string => reservedResourceListsJson(total));
const unreservedList = memo((total: Resources): string => resourceListJson(total.unreserved()));

function isCurrent(known: Made, agent: AgentRecord): boolean {
  return (
    known.total === agent.total &&
    known.info === agent.info &&
    known.capabilities === agent.capabilities &&
    known.reregisteredTime === agent.reregisteredTime &&
    known.registeredTime === agent.registeredTime &&
    known.pid === agent.pid &&
    known.version === agent.version
  );
}

function make(agent: AgentRecord): Made {
  const { info, pid, version, capabilities, registeredTime, reregisteredTime, total } = agent;
  const { used, offered, active, deactivated } = agent;
  const reregistered =
    reregisteredTime === undefined ? "" : `,"reregistered_time":${timeJson(reregisteredTime)}`;
  const fresh: Made = {
    info,
    pid,
    version,
    capabilities,
    registeredTime,
    reregisteredTime,
    total,
    head:
      `${agentInfoFieldsJson(info)},"pid":${quote(pid)},"registered_time":${timeJson(registeredTime)}${reregistered}` +
      `,"resources":${resourcesJson(total)}`,
    reservations:
      `,"reserved_resources":${reservedResourcesJson(total)}` +
      `,"unreserved_resources":${resourcesJson(total.unreserved())}`,
    tail: `,"version":${quote(version)},"capabilities":${agentCapabilitiesJson(capabilities)}`,
    drainInfo: agent.drainInfo,
    drainStart: agent.estimatedDrainStartTime,
    used,
    offered,
    active,
    deactivated,
    text: "",
  };
  fresh.text = textOf(fresh);
  return fresh;
}

function textOf(made: Made): string {
  const { head, used, offered, reservations, active, deactivated, tail } = made;
  return flatten(
    `${head},"used_resources":${resourcesJson(used)},"offered_resources":${resourcesJson(offered)}${reservations}` +
      `,"active":${active},"deactivated":${deactivated}${tail}${drainJson(made)}`,
  );
}

function drainJson({ drainInfo, drainStart }: Made): string {
  if (drainInfo === undefined) return "";
  const start =
    drainStart === undefined ? "" : `,"estimated_drain_start_time_seconds":${timeJson(drainStart)}`;
  return `,"drain_info":${drain.write(drainInfo)}${start}`;
}
