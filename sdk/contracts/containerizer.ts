import type {
  CommandInfo,
  ContainerID,
  ContainerInfo,
  ContainerStatus,
  ExecutorInfo,
  Image,
  ResourceStatistics,
  TaskInfo,
  TaskResourceLimitation,
  TaskStatus_Reason,
} from "../../proto/gen/mesos/v1/mesos.js";
import { extensionPoint } from "../plugin/extension-point.js";
import type { Resources } from "../resources/index.js";
import type { ProvisionedImage } from "./image.js";

/** Everything needed to start one container; plain data, so that it can be checkpointed and inspected. */
export interface ContainerRequest {
  /** With `parent`: a container within another one, which must be running. */
  readonly containerId: ContainerID;
  /**
   * A process within its parent, to look into it: in all of its namespaces, its root and its cgroups, with its environment and as its user
   * where the request names none. Absent: a container of its own.
   */
  readonly class?: "debug" | undefined;
  /**
   * Its standard input and output can be attached to, with a terminal in between where `container.tty_info` is set. Absent: it has no
   * standard input, and its output goes to the logs alone.
   */
  readonly interactive?: boolean | undefined;
  /** Empty for a container that belongs to no framework (standalone). */
  readonly frameworkId: string;
  readonly executorId: string;
  /** Set when the container runs one command task of its own; absent for executors. */
  readonly task: TaskInfo | undefined;
  readonly executor: ExecutorInfo;
  readonly command: CommandInfo;
  readonly container: ContainerInfo | undefined;
  /** Complete environment, `CommandInfo.environment` included. */
  readonly environment: Readonly<Record<string, string>>;
  /** OS user to run as; undefined: the agent's own. */
  readonly user: string | undefined;
  readonly resources: Resources;
  /** Hard limits above the requests: resource name -> amount, `Infinity` for none. */
  readonly limits: Readonly<Record<string, number>>;
  /** Sandbox: an existing empty directory owned by `user`. */
  readonly directory: string;
  /** Whether the container must outlive the agent process (framework checkpointing). */
  readonly checkpoint: boolean;
  /** Set by the containerizer, for its isolators, where `container` names an image. */
  readonly image?: ProvisionedImage | undefined;
  /** Likewise, for a container within another: that one, as it runs now. */
  readonly within?: EnclosingContainer | undefined;
}

/** The container that another one is within. */
export interface EnclosingContainer {
  readonly request: ContainerRequest;
  /** Its first process, as the host sees it. */
  readonly pid: number;
}

/** How a container ended. */
export interface ContainerTermination {
  /** Absent when the container never ran or its end could not be observed. */
  readonly exit: ContainerExit | undefined;
  /** A limit that ended it, as an isolator reported it. */
  readonly reason?: TaskStatus_Reason | undefined;
  readonly message?: string | undefined;
  readonly limitation?: TaskResourceLimitation | undefined;
}

/** What a container wrote, in the order in which it did. */
export interface OutputChunk {
  /** All that comes through a terminal is `stdout`. */
  readonly stream: "stdout" | "stderr";
  readonly data: Buffer;
}

/** The way into the standard input of a container. */
export interface ContainerInput {
  /** Resolves when the container takes no more, though `end` was not called: it ended, or closed its input. */
  readonly over: Promise<void>;
  /** Resolves when more can be taken; rejects when the container does not read any more. */
  write(data: Buffer): Promise<void>;
  /**
   * No more input: the container reads its end. A terminal goes on, as in Mesos: who wants its programs to read an end writes the
   * end-of-file character. Mesos's CLI says that there is no more input when it lets go of a terminal, whose task is to live on.
   */
  end(): Promise<void>;
  /** Of its terminal; nothing where it has none. */
  resize(size: { readonly rows: number; readonly columns: number }): Promise<void>;
  /** Lets go of the input without ending it: another may attach. */
  close(): void;
}

/** The streams of a container that was launched `interactive`; they outlive the agent as the container does. */
export interface ContainerStreams {
  /**
   * What it writes from now on, until it ends or the signal is aborted. For a debug container: from its first byte. Any number may read; who
   * does not keep up is cut off with TEPUI_CONTAINER_READER_SLOW, and never holds the container up.
   */
  output(signal: AbortSignal): AsyncIterable<OutputChunk>;
  /** Rejects with TEPUI_CONTAINER_INPUT_TAKEN while another has it. */
  input(): Promise<ContainerInput>;
}

/** How the container's main process ended: exactly one of `code` and `signal` is set. */
export interface ContainerExit {
  readonly code: number | undefined;
  /** Signal number. */
  readonly signal: number | undefined;
}

/** A container that a previous run of the agent left behind. */
export interface RecoverableContainer {
  readonly request: ContainerRequest;
  /**
   * Pid of its first process, where the agent wrote that down and it still runs. A containerizer goes by records of its own; this is for
   * containers that it has none of, because an agent of Mesos made them.
   */
  readonly process?: number | undefined;
}

/** What a task may ask for outside of its `ContainerInfo`, and not every agent has. */
export type TaskFeature =
  /** `TaskInfo.limits` of this name. */
  | "cpus-limit"
  | "mem-limit"
  /** Variables of type SECRET in a command's environment. */
  | "secret-environment";

/** Something that was begun and is not over. */
export interface PendingOperation {
  /** Who does what, e.g. `network/cni::prepare`. */
  readonly operation: string;
  /** E.g. `containerId`. */
  readonly args: Readonly<Record<string, string>>;
}

/**
 * Starts, measures and ends containers. Several may be configured; the first whose `launch` says `true` owns the container.
 * No method throws for an unknown container unless said.
 */
export interface Containerizer {
  readonly name: string;
  /** What the last message of a command task says has ended, e.g. `Container exited with status 1`. Absent: `Command`. */
  readonly taskNoun?: "Command" | "Container";
  /** Whether it gives this to such a container; false for containers that it does not take. Absent: it gives none. */
  supports?(feature: TaskFeature, container: ContainerInfo | undefined): boolean;
  /**
   * False: not mine (wrong container type or image kind), try the next. Rejects with TepuiError `TEPUI_CONTAINER_LAUNCH_FAILED` with a message a
   * person understands (program missing, URI not found, ...). Resolves when the main process runs.
   */
  launch(request: ContainerRequest): Promise<boolean>;
  /** New amounts for a running container. */
  update(
    containerId: ContainerID,
    resources: Resources,
    limits: Readonly<Record<string, number>>,
  ): Promise<void>;
  usage(containerId: ContainerID): Promise<ResourceStatistics>;
  status(containerId: ContainerID): Promise<ContainerStatus>;
  /** `TaskStatus.data` of the TASK_RUNNING of a command task that was just launched; asked for once. Absent: none. */
  taskData?(containerId: ContainerID): Buffer | undefined;
  /** Resolves at the end of the container, also when it ended before; undefined for an unknown one. */
  wait(containerId: ContainerID): Promise<ContainerTermination | undefined>;
  /** Signals the whole process tree. False when unknown or already ended. */
  signal(containerId: ContainerID, signal: number): Promise<boolean>;
  /**
   * Ends everything of the container and of those within it, and cleans up. Idempotent; resolves when nothing of it is left, and how it
   * ended is forgotten.
   */
  destroy(containerId: ContainerID): Promise<void>;
  /**
   * Runs a command in a running container, as its user and with its environment; resolves with how it ended, and rejects when the signal is
   * aborted. Absent: a container of class `debug` within it does that.
   */
  exec?(containerId: ContainerID, command: CommandInfo, signal: AbortSignal): Promise<ContainerExit>;
  /** Undefined for a container that is unknown or cannot be attached to. Absent: none can. */
  attach?(containerId: ContainerID): ContainerStreams | undefined;
  /** Removes the images that no container uses, except those given. Absent: it has none. */
  pruneImages?(excluded: readonly Image[]): Promise<void>;
  /** Takes back what survives of an earlier run; ends what it does not know. Called once, before any other method. */
  recover(containers: readonly RecoverableContainer[]): Promise<void>;
  /** Those that `wait` knows: all that were launched or recovered and not destroyed, whether they run or ended. */
  containers(): readonly ContainerID[];
  /** What is going on now: for people who look for what hangs. Its texts are for them alone. */
  pending?(): readonly PendingOperation[];
}

export const Containerizer = extensionPoint<Containerizer, "ordered">("tepui.containerizer", {
  version: "1.0",
  cardinality: "ordered",
});
