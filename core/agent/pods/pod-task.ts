import type { ContainerID, TaskInfo, TaskStatus } from "../../../proto/gen/mesos/v1/mesos.js";
import type { Timer } from "../../../sdk/contracts/clock.js";
import type { Ending } from "../tasks/ending.js";

/** Tasks that were launched together, and end together when one of them fails. */
export interface PodGroup {
  /** Ids of its tasks, in the order in which they were given. */
  readonly taskIds: readonly string[];
  /** The rest is being ended. */
  ending: boolean;
}

/** One task of a pod, from its first status to its last. */
export class PodTask {
  readonly id: string;
  /** Its container exists, and runs or ran. */
  launched = false;
  /** How it is made to end, from when that is wanted. */
  ending: Ending | undefined;
  /** It ran for longer than it may. */
  overtime = false;
  /** Why its container could not be started. */
  launchError: string | undefined;
  /** The last one that was told. */
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

  /** What would say or do something about a task that is being ended, or is over. */
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

/** The container that statuses of a task tell of. */
export const containerOf = (statuses: readonly TaskStatus[]): ContainerID | undefined =>
  statuses.findLast(({ container_status: at }) => at?.container_id !== undefined)?.container_status
    ?.container_id;
