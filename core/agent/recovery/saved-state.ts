import type { StatusUpdate } from "../../../proto/gen/mesos/internal/messages.js";
import type {
  AgentInfo,
  DrainConfig,
  ExecutorInfo,
  FrameworkInfo,
  Operation,
  Resource,
  Task,
  TaskGroupInfo,
  TaskInfo,
} from "../../../proto/gen/mesos/v1/mesos.js";
import type { KillRecord } from "../tasks/kill-record.js";

/** What an earlier run of the agent recorded, as data. */
export interface SavedAgent {
  /** Includes its id; undefined: there was no earlier run, or it never registered. */
  readonly info: AgentInfo | undefined;
  readonly resources: SavedResources;
  /** Identifies the boot of the host in which the earlier run lived. */
  readonly bootId: string | undefined;
  readonly frameworks: readonly SavedFramework[];
  /** Set if it was draining. */
  readonly drainConfig?: DrainConfig | undefined;
  /** Directories that nobody uses any more. */
  readonly leftovers: readonly Leftover[];
  /** Descriptions of what could not be read and was skipped. */
  readonly problems: readonly string[];
}

/** Dynamic reservations and persistent volumes. */
export interface SavedResources {
  /** The state after the last completed change. */
  readonly committed: readonly Resource[];
  /** Operations whose end was not acknowledged. */
  readonly operations: readonly Operation[];
  /** The state after the change that was in progress; undefined: there was none. */
  readonly target:
    | { readonly resources: readonly Resource[]; readonly operations: readonly Operation[] }
    | undefined;
}

export interface SavedFramework {
  readonly id: string;
  readonly info: FrameworkInfo;
  readonly pid: string | undefined;
  readonly executors: readonly SavedExecutor[];
}

export interface SavedExecutor {
  readonly id: string;
  readonly info: ExecutorInfo;
  readonly generated: boolean;
  /** Address of its driver, if it uses libprocess. */
  readonly driver?: string | undefined;
  /** The container of its latest run. */
  readonly containerId: string;
  /** Pid of the first process of its container, if that still runs. */
  readonly process?: number | undefined;
  /** It had ended, and everything was acknowledged. */
  readonly completed: boolean;
  readonly tasks: readonly SavedTask[];
  /** The task groups as requested, for tasks that were to be launched together. */
  readonly groups: readonly TaskGroupInfo[];
}

export interface SavedUpdates {
  readonly updates: readonly StatusUpdate[];
  /** Keys of the UUIDs. */
  readonly acknowledged: ReadonlySet<string>;
  /** Offset in bytes at which the updates file must be truncated before more is appended; undefined: it is intact. */
  readonly cutAt: number | undefined;
}

export interface SavedTask extends SavedUpdates {
  /** How it was being killed, if it was. */
  readonly kill?: KillRecord | undefined;
  readonly task: Task;
  /** Recorded if the task itself does not say enough. */
  readonly definition: TaskInfo | undefined;
}

export interface Leftover {
  readonly path: string;
  /** Milliseconds since it was last used. */
  readonly age: number;
}
