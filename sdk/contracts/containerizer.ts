import type {
  CommandInfo,
  ContainerID,
  ContainerInfo,
  ContainerStatus,
  ExecutorInfo,
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
  readonly containerId: ContainerID;
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
}

export interface ContainerTermination {
  /** Absent when the container never ran or its end could not be observed. */
  readonly exit: ContainerExit | undefined;
  /** A limit that ended it, as an isolator reported it. */
  readonly reason?: TaskStatus_Reason | undefined;
  readonly message?: string | undefined;
  readonly limitation?: TaskResourceLimitation | undefined;
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
}

/** What a task may ask for outside of its `ContainerInfo`, and not every agent has. */
export type TaskFeature =
  /** `TaskInfo.limits` of this name. */
  | "cpus-limit"
  | "mem-limit"
  /** Variables of type SECRET in a command's environment. */
  | "secret-environment";

/**
 * Starts, measures and ends containers. Several may be configured; the first whose `launch` says `true` owns the container.
 * No method throws for an unknown container unless said.
 */
export interface Containerizer {
  readonly name: string;
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
  /** Resolves at the end of the container, also when it ended before; undefined for an unknown one. */
  wait(containerId: ContainerID): Promise<ContainerTermination | undefined>;
  /** Signals the whole process tree. False when unknown or already ended. */
  signal(containerId: ContainerID, signal: number): Promise<boolean>;
  /** Ends everything of the container and cleans up. Idempotent; resolves when nothing of it is left. */
  destroy(containerId: ContainerID): Promise<void>;
  /** Takes back what survives of an earlier run; ends what it does not know. Called once, before any other method. */
  recover(containers: readonly RecoverableContainer[]): Promise<void>;
  /** Those that `wait` knows: all that were launched or recovered and not destroyed, whether they run or ended. */
  containers(): readonly ContainerID[];
}

export const Containerizer = extensionPoint<Containerizer, "ordered">("tepui.containerizer", {
  version: "1.0",
  cardinality: "ordered",
});
