import {
  AgentInfo,
  AgentInfo_Capability_Type,
  type MasterInfo,
  MasterInfo_Capability_Type,
} from "../../proto/gen/mesos/v1/mesos.js";
import type {
  AgentRecord,
  ExecutorRecord,
  FrameworkRecord,
  MasterView,
  RoleRecord,
} from "../../sdk/contracts/master-view.js";
import type { Leadership } from "../../sdk/contracts/scheduler-service.js";
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

/** The role that everything in the captured cluster was allocated to. */
const ROLE = "dev";

export interface CapturedMaster {
  readonly state: Json;
  readonly roles: Json;
}

/** A master that holds what the captured one held. */
export function viewOf({ state, roles }: CapturedMaster, leadership?: Leadership): MasterView {
  const info: MasterInfo = {
    id: text(state, "id"),
    pid: text(state, "pid"),
    port: 15050,
    hostname: text(state, "hostname"),
    capabilities: texts(state, "capabilities").map((name) => ({
      type: MasterInfo_Capability_Type[name as keyof typeof MasterInfo_Capability_Type],
    })),
  };
  const agents = objects(state, "slaves").map(agentOf);
  const frameworks = objects(state, "frameworks").map(frameworkOf);
  return {
    info,
    startTime: time(state, "start_time") ?? 0,
    electedTime: time(state, "elected_time"),
    flags: new Map(Object.entries(state.flags as Record<string, string>)),
    cluster: undefined,
    leadership: () => leadership ?? { role: "leading", leader: info },
    agents: () => agents,
    agent: (id) => agents.find((agent) => agent.id === id),
    recoveredAgents: () => [],
    unreachableAgents: () => 0,
    frameworks: () => frameworks,
    framework: (id) => frameworks.find((framework) => framework.id === id),
    completedFrameworks: () => objects(state, "completed_frameworks").map(frameworkOf),
    roles: () => objects(roles, "roles").map(roleOf),
    watch: () => () => {},
    settled: async () => {},
  };
}

function agentOf(json: Json): AgentRecord {
  return {
    id: text(json, "id"),
    info: AgentInfo.fromPartial({
      id: { value: text(json, "id") },
      hostname: text(json, "hostname"),
      port: json.port as number,
    }),
    pid: text(json, "pid"),
    version: text(json, "version"),
    capabilities: texts(json, "capabilities").map((name) => ({
      type: AgentInfo_Capability_Type[name as keyof typeof AgentInfo_Capability_Type],
    })),
    registeredTime: time(json, "registered_time") ?? 0,
    reregisteredTime: time(json, "reregistered_time"),
    connected: true,
    active: json.active as boolean,
    deactivated: json.deactivated as boolean,
    total: resourcesOf(json.resources),
    used: resourcesOf(json.used_resources, ROLE),
    offered: resourcesOf(json.offered_resources, ROLE),
    tasks: () => [],
    executors: () => [],
    operations: () => [],
  };
}

function frameworkOf(json: Json): FrameworkRecord {
  const info = frameworkInfoOf(json);
  const tasks = objects(json, "tasks").map(taskOf);
  return {
    id: text(json, "id"),
    info,
    roles: info.roles,
    suppressedRoles: [],
    pid: json.pid as string | undefined,
    active: json.active as boolean,
    connected: json.connected as boolean,
    recovered: json.recovered as boolean,
    registeredTime: time(json, "registered_time") ?? 0,
    reregisteredTime: time(json, "reregistered_time"),
    unregisteredTime: time(json, "unregistered_time") ?? 0,
    used: resourcesOf(json.used_resources, ROLE),
    offered: resourcesOf(json.offered_resources, ROLE),
    offerConstraints: undefined,
    tasks: new Map(tasks.map((task) => [task.task_id?.value ?? "", task])),
    unreachableTasks: objects(json, "unreachable_tasks").map(taskOf),
    completedTasks: objects(json, "completed_tasks").map(taskOf),
    offers: [],
    executors: () => objects(json, "executors").map(executorOf),
  };
}

function executorOf(json: Json): ExecutorRecord {
  return {
    agentId: text(json, "slave_id"),
    frameworkId: text(json, "framework_id"),
    info: executorInfoOf(json),
  };
}

/** The figures of a role by itself; nothing in the captured cluster is held below another role that holds something. */
function roleOf(json: Json): RoleRecord {
  const name = text(json, "name");
  return {
    name,
    weight: json.weight as number,
    allocated: resourcesOf(json.allocated, name),
    offered: resourcesOf(json.offered, name),
    reserved: resourcesOf(json.reserved),
    frameworks: texts(json, "frameworks"),
  };
}
