import type { ContainerID, TaskInfo, TaskStatus } from "../../../proto/gen/mesos/v1/mesos.js";
import type { ContainerLaunch } from "../../../sdk/contracts/agent-containers.js";
import type { Clock } from "../../../sdk/contracts/clock.js";
import type { ContainerTermination } from "../../../sdk/contracts/containerizer.js";
import type { Logger } from "../../../sdk/contracts/logger.js";
import type { Random } from "../../../sdk/contracts/random.js";
import type { CheckedTask, CheckListener, RunningChecks } from "../checks/task-checks.js";
import type { KillRecord } from "../tasks/kill-record.js";

/** What a pod's executor needs from the agent. */
export interface DefaultExecutorHost {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly executorId: string;
  /** The pod's own container, in which those of its tasks are nested. */
  readonly containerId: ContainerID;
  /** Address of the pod. */
  readonly ip: string | undefined;
  /** The framework wants TASK_KILLING updates. */
  readonly reportsKilling: boolean;
  /** Resolves when the container runs. */
  launch(launch: ContainerLaunch): Promise<unknown>;
  /** Whether there is, or was, such a container. */
  knows(containerId: ContainerID): boolean;
  /** Resolves with the end of a container; rejects with TEPUI_CONTAINER_UNKNOWN. */
  wait(containerId: ContainerID): Promise<ContainerTermination>;
  kill(containerId: ContainerID, signal: number): Promise<void>;
  /** Resolves when a later run of the agent would know that the task is being killed, and how. */
  noteKill(taskId: string, kill: KillRecord): Promise<void>;
  /** Starts the task's checks; undefined if it has none. */
  check(
    task: CheckedTask & { readonly containerId: ContainerID },
    listener: CheckListener,
  ): RunningChecks | undefined;
  /** Sends a status update; `acknowledged` is called when the agent has stored it. */
  update(status: TaskStatus): void;
  /** The task's sandbox exists and can be linked under the task's id. */
  sandboxMade(taskId: string, containerId: ContainerID): void;
  /** There is nothing left to do: ends the pod's own container as if it had exited with 0. False: more tasks are on their way. */
  exit(): boolean;
}

/** A task from an earlier run of the agent, as recorded. */
export interface EarlierTask {
  readonly info: TaskInfo;
  /** The statuses that were reported, oldest first; none: it was not started. */
  readonly statuses: readonly TaskStatus[];
  /** How it was being killed, if it was. */
  readonly kill?: KillRecord | undefined;
}
