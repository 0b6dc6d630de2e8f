import { ExecutorDriver } from "../../support/executor-driver.js";
import { Works } from "./executor-work.js";

/** An executor of the v0 driver. */
const works = new Works(async (taskId, state, message) => {
  driver.update(taskId, state, message);
  await heard();
});
const driver = new ExecutorDriver({
  launch: ({ task_id, data }) => works.begin(task_id!.value!, data),
  kill: (taskId) => works.kill(taskId),
  message: () => undefined,
  shutdown: () => {
    works.killAll();
    void heard().then(() => process.exit(0));
  },
});

const heard = (): Promise<void> =>
  new Promise((resolve) => {
    const timer = setInterval(() => {
      if (driver.unacknowledged > 0) return;
      clearInterval(timer);
      resolve();
    }, 10);
  });

await driver.start();
