import type { ContainerID, TaskInfo, TaskStatus } from "../../../proto/gen/mesos/v1/mesos.js";
import type { ContainerLaunch } from "../../../sdk/contracts/agent-containers.js";
import type { Clock } from "../../../sdk/contracts/clock.js";
import type { ContainerTermination } from "../../../sdk/contracts/containerizer.js";
import type { Logger } from "../../../sdk/contracts/logger.js";
import type { Random } from "../../../sdk/contracts/random.js";
import type { CheckedTask, CheckListener, RunningChecks } from "../checks/task-checks.js";
import type { KillRecord } from "../tasks/kill-record.js";

/** What a pod's executor has of the agent. */
export interface DefaultExecutorHost {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly executorId: string;
  /** That the tasks' containers are within. */
  readonly containerId: ContainerID;
  /** Address of the pod. */
  readonly ip: string | undefined;
  /** The framework wants to hear of TASK_KILLING. */
  readonly reportsKilling: boolean;
  /** Resolves when the container runs. */
  launch(launch: ContainerLaunch): Promise<unknown>;
  /** Whether there is or was such a container. */
  knows(containerId: ContainerID): boolean;
  /** Resolves with the end of a container; rejects with TEPUI_CONTAINER_UNKNOWN. */
  wait(containerId: ContainerID): Promise<ContainerTermination>;
  kill(containerId: ContainerID, signal: number): Promise<void>;
  /** Resolves when a later run of the agent would know that the task is being killed, and how. */
  noteKill(taskId: string, kill: KillRecord): Promise<void>;
  /** Starts the checks that the task asks for; undefined where it asks for none. */
  check(
    task: CheckedTask & { readonly containerId: ContainerID },
    listener: CheckListener,
  ): RunningChecks | undefined;
  /** Takes a status; `acknowledged` is called when the agent has it for good. */
  update(status: TaskStatus): void;
  /** The task's sandbox can be shown under its id. */
  sandboxMade(taskId: string, containerId: ContainerID): void;
  /** Nothing is left to do: the pod's own container is to end, as if it had exited with 0. False: there is something on its way. */
  exit(): boolean;
}

/** A task of an earlier run of the agent, as it was written down. */
export interface EarlierTask {
  readonly info: TaskInfo;
  /** The statuses that were told, oldest first; none: it was not begun. */
  readonly statuses: readonly TaskStatus[];
  /** How it was being killed, if it was. */
  readonly kill?: KillRecord | undefined;
}
