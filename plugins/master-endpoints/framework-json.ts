import { Resource_AllocationInfo } from "../../proto/gen/json/mesos/v1/mesos.js";
import { OfferConstraints } from "../../proto/gen/json/mesos/v1/scheduler/scheduler.js";
import {
  type FrameworkInfo,
  FrameworkInfo_Capability_Type,
  type Offer,
} from "../../proto/gen/mesos/v1/mesos.js";
import type { ExecutorRecord, FrameworkRecord } from "../../sdk/contracts/master-view.js";
import { doubleJson, resourcesJson } from "../../sdk/resources/index.js";
import {
  executorFieldsJson,
  flatResourcesJson,
  frameworkCapabilitiesJson,
  labelsJson,
  listOf,
  memo,
  quote,
  stringsJson,
  taskJson,
  timeJson,
} from "../../sdk/v0-json/index.js";

const offerConstraints = OfferConstraints.json;
const allocationInfo = Resource_AllocationInfo.json;

/** A framework as `/state-summary` shows it, without the braces and without the counts of its tasks. */
export function frameworkSummaryFieldsJson(framework: FrameworkRecord): string {
  const { id, info, pid, used, offered, active, connected, recovered } = framework;
  return (
    `"id":${quote(id)},"name":${quote(info.name ?? "")}${pid === undefined ? "" : `,"pid":${quote(pid)}`}` +
    `,"used_resources":${resourcesJson(used)},"offered_resources":${resourcesJson(offered)}` +
    `,"capabilities":${frameworkCapabilitiesJson(info)},"hostname":${quote(info.hostname ?? "")}` +
    `,"webui_url":${quote(info.webui_url ?? "")},"active":${active},"connected":${connected},"recovered":${recovered}`
  );
}

/** A framework as `/state` and `/frameworks` show it, with its tasks, offers and executors. */
export function frameworkJson(framework: FrameworkRecord): string {
  const { info, registeredTime, reregisteredTime, unregisteredTime, used, offered } = framework;
  return (
    `{${frameworkSummaryFieldsJson(framework)},"user":${quote(info.user ?? "")}` +
    `,"failover_timeout":${doubleJson(info.failover_timeout ?? 0)},"checkpoint":${info.checkpoint ?? false}` +
    `,"registered_time":${timeJson(registeredTime)},"unregistered_time":${timeJson(unregisteredTime)}` +
    `${info.principal === undefined ? "" : `,"principal":${quote(info.principal)}`}` +
    `,"resources":${resourcesJson(used.add(offered))}` +
    `${reregisteredTime === undefined ? "" : `,"reregistered_time":${timeJson(reregisteredTime)}`}` +
    `,${rolesField(info)},"tasks":${listOf(framework.tasks.values(), taskJson)}` +
    `,"unreachable_tasks":${listOf(framework.unreachableTasks, taskJson)}` +
    `,"completed_tasks":${listOf(framework.completedTasks, taskJson)}` +
    `,"offers":${listOf(framework.offers, offerJson)},"executors":${listOf(framework.executors(), executorJson)}` +
    `${info.labels === undefined ? "" : `,"labels":${labelsJson(info.labels)}`}` +
    `,"offer_constraints":${offerConstraints.write(framework.offerConstraints ?? { role_constraints: {} })}}`
  );
}

const rolesField = memo((info: FrameworkInfo): string =>
  info.capabilities.some(({ type }) => type === FrameworkInfo_Capability_Type.MULTI_ROLE)
    ? `"roles":${stringsJson(info.roles)}`
    : `"role":${quote(info.role ?? "*")}`,
);

const offerJson = memo(
  (offer: Offer): string =>
    `{"id":${quote(offer.id?.value ?? "")},"framework_id":${quote(offer.framework_id?.value ?? "")}` +
    `,"allocation_info":${allocationInfo.write(offer.allocation_info ?? {})}` +
    `,"slave_id":${quote(offer.agent_id?.value ?? "")},"resources":${flatResourcesJson(offer.resources)}}`,
);

function executorJson({ info, agentId }: ExecutorRecord): string {
  return `{${executorFieldsJson(info)},"slave_id":${quote(agentId)}}`;
}
