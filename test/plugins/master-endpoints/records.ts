import { AgentInfo, FrameworkInfo, Task, type TaskState } from "../../../proto/gen/mesos/v1/mesos.js";
import type { AgentRecord, FrameworkRecord, MasterView } from "../../../sdk/contracts/master-view.js";
import { parseResources, Resources } from "../../../sdk/resources/index.js";

export function resources(text: string): Resources {
  const parsed = parseResources(text);
  if (!parsed.ok) throw new Error(parsed.error);
  return parsed.value;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

export function agentRecord(id: string, total = "cpus:4;mem:1024"): Mutable<AgentRecord> {
  return {
    id,
    info: AgentInfo.fromPartial({ id: { value: id }, hostname: `${id}.example`, port: 5051 }),
    pid: `slave(1)@10.0.0.1:5051`,
    version: "1.12.0",
    capabilities: [],
    registeredTime: 1,
    reregisteredTime: undefined,
    connected: true,
    active: true,
    deactivated: false,
    total: resources(total),
    used: Resources.empty,
    offered: Resources.empty,
    tasks: () => [],
    executors: () => [],
    operations: () => [],
  };
}

export function task(id: string, agent: string, more: { state?: TaskState; first?: number } = {}): Task {
  const { state, first } = more;
  return Task.fromPartial({
    task_id: { value: id },
    agent_id: { value: agent },
    ...(state === undefined ? {} : { state }),
    statuses: first === undefined ? [] : [{ timestamp: first }],
  });
}

export interface FrameworkTasks {
  readonly tasks?: readonly Task[];
  readonly unreachable?: readonly Task[];
  readonly completed?: readonly Task[];
}

export function frameworkRecord(id: string, all: FrameworkTasks = {}): FrameworkRecord {
  return {
    id,
    info: FrameworkInfo.fromPartial({ id: { value: id }, name: id }),
    roles: ["*"],
    suppressedRoles: [],
    pid: undefined,
    active: true,
    connected: true,
    recovered: false,
    registeredTime: 1,
    reregisteredTime: undefined,
    unregisteredTime: 0,
    used: Resources.empty,
    offered: Resources.empty,
    offerConstraints: undefined,
    tasks: new Map((all.tasks ?? []).map((one) => [one.task_id?.value ?? "", one])),
    unreachableTasks: all.unreachable ?? [],
    completedTasks: all.completed ?? [],
    offers: [],
    executors: () => [],
  };
}

export function masterView(parts: Partial<MasterView>): MasterView {
  const info = { id: "m", pid: "master@10.0.0.1:5050", port: 5050, hostname: "m.example", capabilities: [] };
  return {
    info,
    startTime: 1,
    electedTime: undefined,
    flags: new Map(),
    cluster: undefined,
    leadership: () => ({ role: "leading", leader: info }),
    agents: () => [],
    agent: () => undefined,
    recoveredAgents: () => [],
    unreachableAgents: () => 0,
    frameworks: () => [],
    framework: () => undefined,
    completedFrameworks: () => [],
    roles: () => [],
    watch: () => () => {},
    settled: async () => {},
    ...parts,
  };
}
