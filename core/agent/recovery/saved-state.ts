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

/** What an earlier run of the agent wrote down, as data. */
export interface SavedAgent {
  /** With its id; undefined: there was no run, or it never registered. */
  readonly info: AgentInfo | undefined;
  readonly resources: SavedResources;
  /** Names the boot of the host that the earlier run lived in. */
  readonly bootId: string | undefined;
  readonly frameworks: readonly SavedFramework[];
  /** It was being emptied. */
  readonly drainConfig?: DrainConfig | undefined;
  /** Directories that nobody uses any more. */
  readonly leftovers: readonly Leftover[];
  /** What could not be read, and was passed over. */
  readonly problems: readonly string[];
}

/** Dynamic reservations and persistent volumes. */
export interface SavedResources {
  /** As they were when all was done that had been begun. */
  readonly committed: readonly Resource[];
  /** Those whose end was not acknowledged. */
  readonly operations: readonly Operation[];
  /** As they were to become; undefined: nothing was under way. */
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
  /** Address of its driver, where it speaks libprocess. */
  readonly driver?: string | undefined;
  /** Of its latest run. */
  readonly containerId: string;
  /** Pid of the first process of its container, where that still runs. */
  readonly process?: number | undefined;
  /** It was over, and everything of it acknowledged. */
  readonly completed: boolean;
  readonly tasks: readonly SavedTask[];
  /** Those of its tasks that were to be launched together, as they were asked for. */
  readonly groups: readonly TaskGroupInfo[];
}

export interface SavedUpdates {
  readonly updates: readonly StatusUpdate[];
  /** Keys of their uuids. */
  readonly acknowledged: ReadonlySet<string>;
  /** Where the file of these has to end before more is written to it, in bytes; undefined: where it ends. */
  readonly cutAt: number | undefined;
}

export interface SavedTask extends SavedUpdates {
  /** How it was being ended, where it was. */
  readonly kill?: KillRecord | undefined;
  readonly task: Task;
  /** Written down where the task itself does not say enough. */
  readonly definition: TaskInfo | undefined;
}

export interface Leftover {
  readonly path: string;
  /** Milliseconds since it was used last. */
  readonly age: number;
}
