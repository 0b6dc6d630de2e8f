import type { ContainerID, TaskInfo, TaskStatus } from "../../../proto/gen/mesos/v1/mesos.js";
import type { Timer } from "../../../sdk/contracts/clock.js";
import type { Ending } from "../tasks/ending.js";

/** Tasks that were launched together, and end together when one of them fails. */
export interface PodGroup {
  /** Ids of its tasks, in launch order. */
  readonly taskIds: readonly string[];
  /** The rest is being killed. */
  ending: boolean;
}

/** One task of a pod, from its first status to its last. */
export class PodTask {
  readonly id: string;
  /** Its container exists, running or not. */
  launched = false;
  /** How it is being killed, once that is wanted. */
  ending: Ending | undefined;
  /** It exceeded its maximum running time. */
  overtime = false;
  /** Why its container could not be started. */
  launchError: string | undefined;
  /** The status that was reported last. */
  status: TaskStatus | undefined;
  checks: { stop(): void } | undefined;
  completion: Timer | undefined;

  constructor(
    readonly info: TaskInfo,
    readonly group: PodGroup,
    readonly containerId: ContainerID,
  ) {
    this.id = info.task_id!.value!;
  }

  /** Stops whatever would still report on, or act on, a task that is being killed or has ended. */
  stopWatching(): void {
    this.checks?.stop();
    this.checks = undefined;
    this.completion?.cancel();
    this.completion = undefined;
  }

  stop(): void {
    this.stopWatching();
    this.ending?.stop();
  }
}

/** The container that a task's statuses name. */
export const containerOf = (statuses: readonly TaskStatus[]): ContainerID | undefined =>
  statuses.findLast(({ container_status: at }) => at?.container_id !== undefined)?.container_status
    ?.container_id;
