import type {
  AgentInfo,
  AgentInfo_Capability,
  ContainerID,
  ContainerStatus,
  DrainConfig,
  ExecutorInfo,
  FrameworkInfo,
  Operation,
  ResourceStatistics,
  Task,
  TaskInfo,
} from "../../proto/gen/mesos/v1/mesos.js";
import { extensionPoint } from "../plugin/extension-point.js";
import type { Resources } from "../resources/index.js";

export interface AgentExecutorView {
  readonly id: string;
  /** `Command Executor (Task: x) (Command: sh -c '...')` for command tasks. */
  readonly name: string;
  readonly source: string;
  readonly containerId: ContainerID;
  readonly directory: string;
  readonly info: ExecutorInfo;
  /** True when the agent itself runs a command task in place of an executor. */
  readonly generated: boolean;
  readonly resources: Resources;
  readonly role: string;
  readonly tasks: Iterable<Task>;
  readonly queuedTasks: Iterable<TaskInfo>;
  /** Over, but the end is not acknowledged. */
  readonly terminatedTasks: Iterable<Task>;
  readonly completedTasks: Iterable<Task>;
}

export interface AgentFrameworkView {
  readonly id: string;
  readonly info: FrameworkInfo;
  readonly executors: Iterable<AgentExecutorView>;
  readonly completedExecutors: Iterable<AgentExecutorView>;
}

export interface ContainerUsageView {
  readonly frameworkId: string;
  readonly executorId: string;
  readonly executorName: string;
  readonly source: string;
  readonly containerId: ContainerID;
  readonly status: ContainerStatus | undefined;
  readonly statistics: ResourceStatistics | undefined;
}

/** Read access to the agent's state for endpoints, metrics and the UI. */
export interface AgentView {
  /** With `id` once registered. */
  readonly info: AgentInfo;
  readonly pid: string;
  readonly capabilities: readonly AgentInfo_Capability[];
  /** Seconds since the epoch. */
  readonly startTime: number;
  readonly flags: ReadonlyMap<string, string>;
  readonly total: Resources;
  /** Held by executors and their tasks. */
  readonly allocated: Resources;
  readonly registered: boolean;
  /** While it is being emptied. */
  readonly drainConfig?: DrainConfig | undefined;
  /** Seconds since the epoch. */
  readonly estimatedDrainStartTime?: number | undefined;
  masterHostname(): string | undefined;
  frameworks(): Iterable<AgentFrameworkView>;
  completedFrameworks(): Iterable<AgentFrameworkView>;
  /** Offer operations whose end nobody has acknowledged yet. */
  operations(): Iterable<Operation>;
  /** Top-level containers with fresh statistics; a container that cannot be measured has none. */
  usage(): Promise<readonly ContainerUsageView[]>;
}

export const AgentView = extensionPoint<AgentView, "one">("tepui.agent-view", {
  version: "1.0",
  cardinality: "one",
});
