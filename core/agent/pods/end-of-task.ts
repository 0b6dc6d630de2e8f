import {
  TaskStatus_Reason as Reason,
  TaskState,
  type TaskStatus,
} from "../../../proto/gen/mesos/v1/mesos.js";
import type { ContainerTermination } from "../../../sdk/contracts/containerizer.js";
import { exitText } from "../tasks/exit-text.js";
import type { PodTask } from "./pod-task.js";

type EndOfTask = Pick<TaskStatus, "reason" | "message" | "limitation"> & { readonly state: TaskState };

/**
 * How a task of a pod ended, in the words of Mesos's default executor. What the containerizer knows (a limit that was exceeded) takes
 * precedence over the exit status.
 *
 * @param termination undefined: it never ran, or nothing is known about it any more
 */
export function endOfTask(
  task: Pick<PodTask, "ending" | "overtime" | "launchError">,
  termination: ContainerTermination | undefined,
): EndOfTask {
  const { launchError } = task;
  if (termination === undefined) {
    if (task.ending !== undefined && launchError === undefined) return { state: TaskState.TASK_KILLED };
    const message = launchError ?? "Unable to retrieve command's termination information";
    return { state: TaskState.TASK_FAILED, message };
  }
  const { exit, reason, limitation } = termination;
  const own = exit === undefined ? "Command terminated with unknown status" : `Command ${exitText(exit)}`;
  const message = termination.message === undefined ? own : `${own}: ${termination.message}`;
  if (reason !== undefined) return { state: TaskState.TASK_FAILED, reason, message, limitation };
  if (exit === undefined) return { state: TaskState.TASK_FAILED, message };
  if (task.overtime) {
    return { state: TaskState.TASK_FAILED, reason: Reason.REASON_MAX_COMPLETION_TIME_REACHED, message };
  }
  if (task.ending !== undefined) return { state: TaskState.TASK_KILLED, message };
  return { state: exit.code === 0 ? TaskState.TASK_FINISHED : TaskState.TASK_FAILED, message };
}
