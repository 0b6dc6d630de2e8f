import { AgentInfo, AgentInfo_Capability_Type } from "../../proto/gen/mesos/v1/mesos.js";
import { jsonOf } from "../../proto/json/index.js";
import type {
  AgentExecutorView,
  AgentFrameworkView,
  AgentView,
  ContainerUsageView,
} from "../../sdk/contracts/agent-view.js";
import {
  executorInfoOf,
  frameworkInfoOf,
  type Json,
  objects,
  resourcesOf,
  taskOf,
  text,
  texts,
  time,
} from "./captured-state.js";

export interface CapturedAgent {
  readonly state: Json;
  readonly containers: Json[];
}

/** An agent that holds what the captured one held. */
export function viewOf({ state, containers }: CapturedAgent): AgentView {
  return {
    info: AgentInfo.fromPartial({ id: { value: text(state, "id") }, hostname: text(state, "hostname") }),
    pid: text(state, "pid"),
    capabilities: texts(state, "capabilities").map((name) => ({
      type: AgentInfo_Capability_Type[name as keyof typeof AgentInfo_Capability_Type],
    })),
    startTime: time(state, "start_time") ?? 0,
    flags: new Map(Object.entries(state.flags as Record<string, string>)),
    total: resourcesOf(state.resources),
    allocated: resourcesOf(state.unreserved_resources_allocated, "dev"),
    registered: true,
    masterHostname: () => text(state, "master_hostname"),
    frameworks: () => objects(state, "frameworks").map(frameworkOf),
    completedFrameworks: () => objects(state, "completed_frameworks").map(frameworkOf),
    operations: () => [],
    usage: async () => containers.map(usageOf),
  };
}

function frameworkOf(json: Json): AgentFrameworkView {
  return {
    id: text(json, "id"),
    info: frameworkInfoOf(json),
    executors: objects(json, "executors").map(executorOf),
    completedExecutors: objects(json, "completed_executors").map(executorOf),
  };
}

function executorOf(json: Json): AgentExecutorView {
  const role = text(json, "role");
  return {
    id: text(json, "id"),
    name: text(json, "name"),
    source: text(json, "source"),
    containerId: { value: text(json, "container") },
    directory: text(json, "directory"),
    info: executorInfoOf({ ...json, executor_id: json.id }),
    generated: json.type === undefined,
    resources: resourcesOf(json.resources, role),
    role,
    tasks: objects(json, "tasks").map(taskOf),
    queuedTasks: [],
    terminatedTasks: [],
    completedTasks: objects(json, "completed_tasks").map(taskOf),
  };
}

function usageOf(json: Json): ContainerUsageView {
  return {
    frameworkId: text(json, "framework_id"),
    executorId: text(json, "executor_id"),
    executorName: text(json, "executor_name"),
    source: text(json, "source"),
    containerId: { value: text(json, "container_id") },
    status: json.status === undefined ? undefined : jsonOf("mesos.v1.ContainerStatus").fromValue(json.status),
    statistics: jsonOf("mesos.v1.ResourceStatistics").fromValue(json.statistics),
  };
}
