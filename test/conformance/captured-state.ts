import {
  type ContainerStatus,
  ExecutorInfo,
  ExecutorInfo_Type,
  FrameworkInfo,
  FrameworkInfo_Capability_Type,
  type HealthCheck,
  type Label,
  Task,
  TaskState,
  TaskStatus,
} from "../../proto/gen/mesos/v1/mesos.js";
import { jsonOf } from "../../proto/json/index.js";
import { parseResources, type Resources } from "../../sdk/resources/index.js";

/** Captured JSON turned back into what a daemon holds when it gives such an answer. */

export type Json = Record<string, unknown>;

export const text = (json: Json, name: string): string => String(json[name] ?? "");
export const time = (json: Json, name: string): number | undefined => json[name] as number | undefined;
export const objects = (json: Json, name: string): Json[] => (json[name] ?? []) as Json[];
export const texts = (json: Json, name: string): string[] => (json[name] ?? []) as string[];

/** `{"cpus":0.5,"ports":"[1-2]"}`, allocated to a role where one is given. */
export function resourcesOf(flat: unknown, role?: string): Resources {
  // Agents name their resources in this order, and lists of resources keep it.
  const names = ["cpus", "mem", "disk", "gpus"];
  const fields = Object.entries(flat as Json).sort(([a], [b]) => names.indexOf(a) - names.indexOf(b));
  const known = fields.filter(([name, value]) => names.includes(name) && value !== 0);
  const others = fields.filter(([name]) => !names.includes(name));
  const parsed = parseResources([...known, ...others].map(([name, value]) => `${name}:${value}`).join(";"));
  if (!parsed.ok) throw new Error(parsed.error);
  return role === undefined ? parsed.value : parsed.value.allocate(role);
}

function labels(json: Json): { labels: Label[] } | undefined {
  if (json.labels === undefined) return undefined;
  return { labels: objects(json, "labels").map((label) => jsonOf("mesos.v1.Label").fromValue(label)) };
}

function optional<T>(json: Json, name: string, read: (value: unknown) => T): T | undefined {
  return json[name] === undefined ? undefined : read(json[name]);
}

export function taskOf(json: Json): Task {
  const id = (name: string) => (text(json, name) === "" ? undefined : { value: text(json, name) });
  return {
    ...Task.fromPartial({
      name: text(json, "name"),
      task_id: { value: text(json, "id") },
      framework_id: { value: text(json, "framework_id") },
      agent_id: { value: text(json, "slave_id") },
      state: TaskState[text(json, "state") as keyof typeof TaskState],
    }),
    executor_id: id("executor_id"),
    resources: resourcesOf(json.resources, text(json, "role")).toMessages(),
    statuses: objects(json, "statuses").map(statusOf),
    labels: labels(json),
    health_check: optional(
      json,
      "health_check",
      (value): HealthCheck => jsonOf("mesos.v1.HealthCheck").fromValue(value),
    ),
  };
}

function statusOf(json: Json): TaskStatus {
  return {
    ...TaskStatus.fromPartial({}),
    state: TaskState[text(json, "state") as keyof typeof TaskState],
    timestamp: time(json, "timestamp"),
    container_status: optional(
      json,
      "container_status",
      (value): ContainerStatus => jsonOf("mesos.v1.ContainerStatus").fromValue(value),
    ),
    healthy: json.healthy as boolean | undefined,
  };
}

export function frameworkInfoOf(json: Json): FrameworkInfo {
  return {
    ...FrameworkInfo.fromPartial({
      id: { value: text(json, "id") },
      name: text(json, "name"),
      user: text(json, "user"),
      webui_url: text(json, "webui_url"),
      hostname: text(json, "hostname"),
      roles: texts(json, "roles"),
      // The agent does not show capabilities, but a list of roles says that there is this one.
      capabilities: texts(json, "capabilities")
        .concat(json.capabilities === undefined && json.roles !== undefined ? ["MULTI_ROLE"] : [])
        .map((name) => ({
          type: FrameworkInfo_Capability_Type[name as keyof typeof FrameworkInfo_Capability_Type],
        })),
    }),
    role: json.role as string | undefined,
    principal: json.principal as string | undefined,
    failover_timeout: time(json, "failover_timeout"),
    checkpoint: json.checkpoint as boolean,
    labels: labels(json),
  };
}

export function executorInfoOf(json: Json): ExecutorInfo {
  return {
    ...ExecutorInfo.fromPartial({
      executor_id: { value: text(json, "executor_id") },
      framework_id: { value: text(json, "framework_id") },
      name: text(json, "name"),
    }),
    type: ExecutorInfo_Type[text(json, "type") as keyof typeof ExecutorInfo_Type],
    resources: resourcesOf(json.resources, text(json, "role")).toMessages(),
    labels: labels(json),
  };
}
