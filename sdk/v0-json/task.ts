import * as codecs from "../../proto/gen/json/mesos/v1/mesos.js";
import {
  type CgroupInfo,
  type ContainerStatus,
  type Labels,
  type NetworkInfo,
  type Resource,
  type Task,
  TaskState,
  type TaskStatus,
} from "../../proto/gen/mesos/v1/mesos.js";
import { doubleJson, Resources, resourcesJson } from "../resources/index.js";
import { memo } from "./memo.js";
import { flatten, listOf, quote, timeJson } from "./text.js";

const containerId = codecs.ContainerID.json;
const cgroupInfo = codecs.CgroupInfo.json;
const ipAddress = codecs.NetworkInfo_IPAddress.json;
const portMapping = codecs.NetworkInfo_PortMapping.json;
const discovery = codecs.DiscoveryInfo.json;
const container = codecs.ContainerInfo.json;
const healthCheck = codecs.HealthCheck.json;
const label = codecs.Label.json;

/** A task as `/state` and `/tasks` show it: the object of a task that changes is another one. */
export const taskJson = memo((task: Task) => changingTaskJson(task));

/** The same for a task that is changed in place. */
export function changingTaskJson(task: Task): string {
  let json =
    `{"id":${quote(task.task_id?.value ?? "")},"name":${quote(task.name ?? "")}` +
    `,"framework_id":${quote(task.framework_id?.value ?? "")},"executor_id":${quote(task.executor_id?.value ?? "")}` +
    `,"slave_id":${quote(task.agent_id?.value ?? "")},"state":"${taskStateName(task.state)}"` +
    `,"resources":${flatResourcesJson(task.resources)}`;
  const limits = Object.entries(task.limits);
  if (limits.length > 0) {
    json += `,"limits":{${limits.map(([name, { value = 0 }]) => `${quote(name)}:${limitJson(value)}`).join(",")}}`;
  }
  json += `,"role":${quote(allocationRoleOf(task.resources))},"statuses":${listOf(task.statuses, statusJson)}`;
  if (task.user !== undefined) json += `,"user":${quote(task.user)}`;
  if (task.labels !== undefined) json += `,"labels":${labelsJson(task.labels)}`;
  if (task.discovery !== undefined) json += `,"discovery":${discovery.write(task.discovery)}`;
  if (task.container !== undefined) json += `,"container":${container.write(task.container)}`;
  if (task.health_check !== undefined) json += `,"health_check":${healthCheck.write(task.health_check)}`;
  return flatten(`${json}}`);
}

function taskStateName(state: TaskState | undefined): string {
  return TaskState[state ?? TaskState.TASK_STAGING] ?? "TASK_UNKNOWN";
}

/** Resource messages in the flat form. The list of a task stays the same while its state changes. */
export const flatResourcesJson = memo((resources: readonly Resource[]): string =>
  resourcesJson(Resources.of(resources)),
);

/** The role of the first resource; tasks do not mix roles. */
export function allocationRoleOf(resources: readonly Resource[]): string {
  return resources[0]?.allocation_info?.role ?? "";
}

export function labelsJson(labels: Labels): string {
  return listOf(labels.labels, label.write);
}

function statusJson(status: TaskStatus): string {
  let json = `{"state":"${taskStateName(status.state)}","timestamp":${timeJson(status.timestamp ?? 0)}`;
  if (status.labels !== undefined) json += `,"labels":${labelsJson(status.labels)}`;
  if (status.container_status !== undefined) {
    json += `,"container_status":${containerStatusJson(status.container_status)}`;
  }
  if (status.healthy !== undefined) json += `,"healthy":${status.healthy}`;
  return `${json}}`;
}

function containerStatusJson(status: ContainerStatus): string {
  const fields: string[] = [];
  if (status.container_id !== undefined) {
    fields.push(`"container_id":${containerId.write(status.container_id)}`);
  }
  if (status.network_infos.length > 0) {
    fields.push(`"network_infos":${listOf(status.network_infos, networkInfoJson)}`);
  }
  if (status.cgroup_info !== undefined) fields.push(`"cgroup_info":${cgroupJson(status.cgroup_info)}`);
  return `{${fields.join(",")}}`;
}

function networkInfoJson(info: NetworkInfo): string {
  const fields: string[] = [];
  if (info.groups.length > 0) fields.push(`"groups":${listOf(info.groups, quote)}`);
  if (info.labels !== undefined) fields.push(`"labels":${labelsJson(info.labels)}`);
  if (info.ip_addresses.length > 0) {
    fields.push(`"ip_addresses":${listOf(info.ip_addresses, ipAddress.write)}`);
  }
  if (info.name !== undefined) fields.push(`"name":${quote(info.name)}`);
  if (info.port_mappings.length > 0) {
    fields.push(`"port_mappings":${listOf(info.port_mappings, portMapping.write)}`);
  }
  return `{${fields.join(",")}}`;
}

const cgroupJson = (info: CgroupInfo): string => cgroupInfo.write(info);

/** A limit may be infinite, which JSON cannot say as a number. */
function limitJson(value: number): string {
  return Number.isFinite(value) ? doubleJson(value) : `"${value > 0 ? "Infinity" : "-Infinity"}"`;
}
