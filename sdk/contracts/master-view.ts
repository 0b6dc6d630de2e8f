import type {
  AgentInfo,
  AgentInfo_Capability,
  DrainInfo,
  ExecutorInfo,
  FrameworkInfo,
  InverseOffer,
  MasterInfo,
  Offer,
  Operation,
  Task,
  TaskStatus,
} from "../../proto/gen/mesos/v1/mesos.js";
import type { QuotaConfig } from "../../proto/gen/mesos/v1/quota/quota.js";
import type { OfferConstraints } from "../../proto/gen/mesos/v1/scheduler/scheduler.js";
import { extensionPoint } from "../plugin/extension-point.js";
import type { Resources } from "../resources/index.js";
import type { Leadership } from "./scheduler-service.js";

/**
 * One agent as reads see it. `Resources` and messages are never changed in place: a changed fact is a new object, so readers may
 * cache by identity. `info` changes only on (re-)registration.
 */
export interface AgentRecord {
  readonly id: string;
  readonly info: AgentInfo;
  /** `slave(1)@ip:port`. */
  readonly pid: string;
  readonly version: string;
  readonly capabilities: readonly AgentInfo_Capability[];
  /** Seconds since the epoch. */
  readonly registeredTime: number;
  readonly reregisteredTime: number | undefined;
  readonly connected: boolean;
  readonly active: boolean;
  readonly deactivated: boolean;
  /** Where it is being emptied, or was. */
  readonly drainInfo?: DrainInfo | undefined;
  /** When this master asked it to drain; seconds since the epoch. */
  readonly estimatedDrainStartTime?: number | undefined;
  readonly total: Resources;
  /** Sum of tasks and executors. */
  readonly used: Resources;
  readonly offered: Resources;
  /** Tasks that hold resources there, of all frameworks. */
  tasks(): Iterable<Task>;
  executors(): Iterable<ExecutorRecord>;
  /** Offer operations whose end nobody has acknowledged yet. */
  operations(): Iterable<Operation>;
}

export interface ExecutorRecord {
  readonly agentId: string;
  readonly frameworkId: string;
  readonly info: ExecutorInfo;
}

export interface FrameworkRecord {
  readonly id: string;
  readonly info: FrameworkInfo;
  /** Roles in effect, whether from `role` or `roles`. */
  readonly roles: readonly string[];
  readonly suppressedRoles: readonly string[];
  /** Only of schedulers that came over libprocess. */
  readonly pid: string | undefined;
  readonly active: boolean;
  readonly connected: boolean;
  readonly recovered: boolean;
  /** Seconds since the epoch; `unregisteredTime` is 0 while registered. */
  readonly registeredTime: number;
  readonly reregisteredTime: number | undefined;
  readonly unregisteredTime: number;
  readonly used: Resources;
  readonly offered: Resources;
  readonly offerConstraints: OfferConstraints | undefined;
  readonly tasks: ReadonlyMap<string, Task>;
  readonly unreachableTasks: Iterable<Task>;
  /** Oldest first, bounded. */
  readonly completedTasks: Iterable<Task>;
  readonly offers: Iterable<Offer>;
  readonly inverseOffers?: Iterable<InverseOffer> | undefined;
  executors(): Iterable<ExecutorRecord>;
}

export interface RoleRecord {
  readonly name: string;
  readonly weight: number;
  /** Undefined: it has none. */
  readonly quota?: QuotaConfig | undefined;
  /** Tasks, executors and reservations are `allocated`; outstanding offers are `offered`. */
  readonly allocated: Resources;
  readonly offered: Resources;
  readonly reserved: Resources;
  readonly frameworks: readonly string[];
}

/** Hears of the changes of the master that leads, in the turn in which they are made. It must neither throw nor change anything. */
export interface MasterWatcher {
  /** A task was launched, or came with an agent. */
  taskAdded(task: Task): void;
  /** It is in a new state, or its checks have something new. `task` has the status already. */
  taskUpdated(task: Task, status: TaskStatus): void;
  frameworkAdded(framework: FrameworkRecord): void;
  frameworkUpdated(framework: FrameworkRecord): void;
  frameworkRemoved(info: FrameworkInfo): void;
  agentAdded(agent: AgentRecord): void;
  /** Removed, unreachable or gone. */
  agentRemoved(agentId: string): void;
  /** This master does not lead any more. Everything is empty. */
  deposed(): void;
}

/** Read access to the master's state for endpoints, metrics and the UI. Holds no lock: read everything in one turn. */
export interface MasterView {
  readonly info: MasterInfo;
  /** Seconds since the epoch. */
  readonly startTime: number;
  readonly electedTime: number | undefined;
  /** Flag name -> value in Mesos's text form. */
  readonly flags: ReadonlyMap<string, string>;
  readonly cluster: string | undefined;
  leadership(): Leadership;
  agents(): Iterable<AgentRecord>;
  agent(id: string): AgentRecord | undefined;
  /** Known from the registry, not back yet after a failover. */
  recoveredAgents(): Iterable<AgentInfo>;
  unreachableAgents(): number;
  frameworks(): Iterable<FrameworkRecord>;
  framework(id: string): FrameworkRecord | undefined;
  completedFrameworks(): Iterable<FrameworkRecord>;
  roles(): readonly RoleRecord[];
  /** From now on; what is there already can be read in the same turn. Returns the undo. */
  watch(watcher: MasterWatcher): () => void;
  /** Resolves when everything accepted so far is visible here. */
  settled(): Promise<void>;
}

export const MasterView = extensionPoint<MasterView, "one">("tepui.master-view", {
  version: "1.0",
  cardinality: "one",
});
