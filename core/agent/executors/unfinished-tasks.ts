import {
  TaskStatus_Reason as Reason,
  TaskStatus_Source as Source,
  TaskState,
} from "../../../proto/gen/mesos/v1/mesos.js";
import type { ContainerTermination } from "../../../sdk/contracts/containerizer.js";
import { isTerminal } from "../../../sdk/task-states.js";
import type { Statuses } from "../tasks/statuses.js";
import type { Executor, Verdict } from "./executor.js";

/** Tells how the tasks ended of which their executor never said so: it is over, or never got them. */
export class UnfinishedTasks {
  constructor(private readonly statuses: Pick<Statuses, "report">) {}

  /** With the tasks of its group: what was to start together does not start in part. */
  endUndelivered(
    executor: Executor,
    ended: string,
    verdict: Required<Pick<Verdict, "state" | "reason" | "message">>,
  ): void {
    for (const taskId of executor.dequeueGroup(ended)) {
      this.statuses.report({
        frameworkId: executor.ids.frameworkId,
        taskId,
        executorId: executor.id,
        source: Source.SOURCE_AGENT,
        ...verdict,
      });
    }
  }

  /** Its container is over: tells the end of every task that had none yet. */
  end(executor: Executor, termination: ContainerTermination | undefined): void {
    const limited = termination?.reason !== undefined;
    if (
      executor.command !== undefined &&
      termination !== undefined &&
      !limited &&
      executor.verdict === undefined
    ) {
      executor.command.finish(termination);
    }
    const open = [...executor.launched.values()].filter(({ state }) => !isTerminal(state));
    for (const taskId of [...open.map(({ task_id }) => task_id!.value!), ...executor.queued.keys()]) {
      this.endTask(executor, taskId, termination);
    }
  }

  /** Nobody is told: the framework is gone. */
  giveUp(executor: Executor): void {
    for (const [taskId, task] of executor.launched) executor.terminated.set(taskId, task);
    executor.launched.clear();
    executor.queued.clear();
    executor.queuedGroups = [];
  }

  private endTask(executor: Executor, taskId: string, termination: ContainerTermination | undefined): void {
    const { verdict } = executor;
    const messages = [verdict?.message, termination?.message].filter((text) => text !== undefined);
    this.statuses.report({
      frameworkId: executor.ids.frameworkId,
      taskId,
      executorId: executor.id,
      state: verdict?.state ?? TaskState.TASK_FAILED,
      source: Source.SOURCE_AGENT,
      reason: termination?.reason ?? verdict?.reason ?? Reason.REASON_EXECUTOR_TERMINATED,
      message: messages.length > 0 ? messages.join("; ") : "Executor terminated",
      limitedResources: termination?.limitation?.resources,
    });
  }
}
