import { setTimeout as delay } from "node:timers/promises";
import { isTerminal } from "../../../sdk/task-states.js";
import { OutputFollower, sandboxPath } from "../execute-output.js";
import type { Streams } from "../execute-report.js";
import { type FoundTask, findTask, type TaskChoice } from "./find-task.js";

export interface LogsOptions extends TaskChoice {
  /** Keep going until the task has ended. */
  readonly follow: boolean;
  /** Show its standard error instead of its standard output. */
  readonly stderr: boolean;
}

/** How often to ask the master whether the task is still running, in milliseconds. */
const ASK_AGAIN_MS = 1000;

/** `tepui task logs`: prints the output of a task, from its sandbox. */
export async function runLogs(options: LogsOptions, { stdout, stderr }: Streams): Promise<number> {
  let found = await findTask(options);
  const { agent, task } = found;
  if (agent === undefined) throw new Error(`the agent of the task '${task.task_id?.value}' is not there`);
  let failed = false;
  const complaints = {
    write: (text: string | Uint8Array) => {
      failed = true;
      return stderr.write(text);
    },
  };
  const sandbox = { agent, directory: directoryOf(found) };
  const names = [options.stderr ? "stderr" : "stdout"] as const;
  // Whichever stream was requested is printed on standard output.
  const follower = new OutputFollower(sandbox, { stdout, stderr: stdout }, { names, complaints });
  const exact = { ...options, task: task.task_id!.value!, framework: task.framework_id?.value };
  while (options.follow && !isTerminal(found.task.state!)) {
    await delay(ASK_AGAIN_MS);
    found = await findTask(exact);
  }
  await follower.drain();
  return failed ? 1 : 0;
}

function directoryOf({ task, containerId }: FoundTask): string {
  const frameworkId = task.framework_id?.value ?? "";
  const taskId = task.task_id?.value ?? "";
  const executorId = task.executor_id?.value;
  if (executorId === undefined || executorId === "") return sandboxPath({ frameworkId, executorId: taskId });
  // A pod's task has a directory of its own below its executor's sandbox.
  const nestedTaskId = containerId?.parent === undefined ? undefined : taskId;
  return sandboxPath({ frameworkId, executorId, nestedTaskId });
}
