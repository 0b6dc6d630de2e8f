import { existsSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { TaskState } from "../../proto/gen/mesos/v1/mesos.js";
import { ExecutorDriver } from "./executor-driver.js";

/**
 * A v0 executor: runs any number of tasks by doing nothing for them. A task is finished when there is a file of its id and `.done` in the
 * sandbox, which goes when that was told. What the scheduler says is told in a TASK_RUNNING of all.
 */
const tasks = new Set<string>();
const sandbox = process.env.MESOS_DIRECTORY!;

function end(taskId: string, state: TaskState): void {
  if (tasks.delete(taskId)) driver.update(taskId, state);
}

const driver = new ExecutorDriver({
  launch: ({ task_id }) => {
    tasks.add(task_id!.value!);
    driver.update(task_id!.value!, TaskState.TASK_RUNNING);
  },
  kill: (taskId) => end(taskId, TaskState.TASK_KILLED),
  message: (data) => {
    for (const taskId of tasks) driver.update(taskId, TaskState.TASK_RUNNING, data.toString());
  },
  shutdown: () => {
    for (const taskId of tasks) end(taskId, TaskState.TASK_KILLED);
    leaveWhenHeard();
  },
});

function leaveWhenHeard(): void {
  setInterval(() => driver.unacknowledged === 0 && process.exit(0), 10);
}

setInterval(() => {
  for (const taskId of tasks) {
    const done = join(sandbox, `${taskId}.done`);
    if (!existsSync(done)) continue;
    end(taskId, TaskState.TASK_FINISHED);
    rmSync(done);
  }
}, 20);

writeFileSync(join(sandbox, "pid"), String(process.pid));
await driver.start();
