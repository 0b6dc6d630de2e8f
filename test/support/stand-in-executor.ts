import { ExecutorClient, TaskState } from "../../sdk/index.js";

/** An executor of the v1 API that runs any number of tasks by doing nothing for them. */
const client = new ExecutorClient();
client.on("launch", async ({ task }) => {
  const id = task.task_id?.value ?? "";
  await client.update({ task_id: id, state: TaskState.TASK_STARTING });
  await client.update({ task_id: id, state: TaskState.TASK_RUNNING });
});
await client.start();
await client.finished;
