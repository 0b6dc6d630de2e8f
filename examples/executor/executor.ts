// A custom executor: one process that runs many tasks. A task's `data` is a number of milliseconds; the executor waits that long and
// reports the task finished. Nothing is started for it, so hundreds of tasks cost one process.
import { ExecutorClient, TaskState } from "tepui/sdk";

const timers = new Map<string, NodeJS.Timeout>();
const client = new ExecutorClient();

function end(id: string, state: TaskState): Promise<void> {
  clearTimeout(timers.get(id));
  return timers.delete(id) ? client.update({ task_id: id, state }) : Promise.resolve();
}

client.on("launch", async ({ task }) => {
  const id = task.task_id?.value ?? "";
  const wait = Number(task.data?.toString() ?? 0);
  timers.set(
    id,
    setTimeout(() => void end(id, TaskState.TASK_FINISHED), wait),
  );
  await client.update({ task_id: id, state: TaskState.TASK_RUNNING, message: `waiting for ${wait} ms` });
});

client.on("kill", ({ task_id }) => end(task_id.value ?? "", TaskState.TASK_KILLED));

// Bytes from the scheduler go back as they came.
client.on("message", ({ data }) => void client.message(data));

client.on("shutdown", () => Promise.all([...timers.keys()].map((id) => end(id, TaskState.TASK_KILLED))));

await client.start();
console.log(`executor ${client.environment.executorId} is ready`);
await client.finished;
