import {
  TaskStatus_Reason as Reason,
  TaskStatus_Source as Source,
  TaskState,
} from "../../../proto/gen/mesos/v1/mesos.js";
import type { ContainerTermination } from "../../../sdk/contracts/containerizer.js";
import { isTerminal } from "../../../sdk/task-states.js";
import type { Statuses } from "../tasks/statuses.js";
import type { Executor, Verdict } from "./executor.js";

/** Reports how tasks ended whose executor never did: it has ended, or never received them. */
export class UnfinishedTasks {
  constructor(private readonly statuses: Pick<Statuses, "report">) {}

  /** Takes the rest of the task's group along: what should start together must not start in part. */
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

  /** The container has ended: reports the end of every task that has not ended yet. */
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

  /** Reports nothing, because the framework is gone. */
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
