import { ExecutorClient } from "../../../sdk/index.js";
import { Works } from "./executor-work.js";

/** An executor of the v1 API. */
const client = new ExecutorClient();
const works = new Works((task_id, state, message) =>
  client.update({ task_id, state, ...(message !== undefined && { message }) }),
);
client.on("launch", ({ task }) => works.begin(task.task_id!.value!, task.data));
client.on("kill", ({ task_id }) => works.kill(task_id.value!));
client.on("shutdown", () => works.killAll());
await client.start();
await client.finished;
process.exit(0);
