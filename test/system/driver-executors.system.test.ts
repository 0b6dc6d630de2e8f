import { existsSync, readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { TaskState, type TaskStatus, TaskStatus_Reason } from "../../proto/gen/mesos/v1/mesos.js";
import { type ExecutorInfo, type PartialMessage, resourceList } from "../../sdk/index.js";
import { isAlive, readProcessStat } from "../../sdk/proc/index.js";
import { EXECUTORS } from "../support/all-kinds.js";
import { until } from "../support/cluster.js";
import { OneAgent } from "../support/one-agent.js";
import { sandboxOf } from "../support/runner.js";

describe("executors of the v0 driver on an agent that is killed and started again", function () {
  this.timeout(60_000);
  let one: OneAgent;

  before(async () => {
    one = await OneAgent.open([
      "--launcher=posix",
      "--isolation=posix/cpu,posix/mem",
      // The longest that Mesos allows: those that do come back may be slow.
      "--executor_reregistration_timeout=15secs",
    ]);
  });
  after(() => one?.close());

  /** Runs a task on this executor, which is started unless it is there. Resolves to the executor's sandbox. */
  async function run(taskId: string, executorId: string): Promise<string> {
    const executor: PartialMessage<ExecutorInfo> = {
      executor_id: { value: executorId },
      command: { value: EXECUTORS.v0 },
      resources: resourceList("cpus:0.1;mem:128"),
    };
    await one.registered();
    one.runner.run(taskId, {}, { executor: executor as ExecutorInfo });
    await one.runner.reaches(taskId, TaskState.TASK_RUNNING);
    return sandboxOf(one.agent, executorId);
  }

  /** Every update. What is sent again until it is acknowledged is one. */
  const told = (taskId: string): string[] => {
    const uuid = (status: TaskStatus): string => status.uuid!.toString("hex");
    const updates = one.runner.updates.filter(({ task_id }) => task_id!.value === taskId);
    return [...new Map(updates.map((status) => [uuid(status), status])).values()].map(
      ({ state, reason, message }) =>
        [
          TaskState[state!],
          ...(reason === undefined ? [] : [TaskStatus_Reason[reason]]),
          ...(message === undefined ? [] : [`"${message}"`]),
        ].join(" "),
    );
  };

  const pidIn = (sandbox: string): number => Number(readFileSync(join(sandbox, "pid"), "utf8"));

  it("go on as they were, and take further tasks", async () => {
    const sandbox = await run("first", "e1");
    const pid = pidIn(sandbox);
    await one.kill();
    // The agent that came back brings it to the one that runs, or would start another.
    expect(await run("second", "e1")).to.equal(sandbox);
    expect(pidIn(sandbox)).to.equal(pid);
    await writeFile(join(sandbox, "first.done"), "");
    await one.runner.reaches("first", TaskState.TASK_FINISHED);
    await one.runner.kill("second");
    expect([told("first"), told("second")]).to.deep.equal([
      ["TASK_RUNNING", "TASK_FINISHED"],
      ["TASK_RUNNING", "TASK_KILLED"],
    ]);
  });

  it("have what they said while the agent was away told once, and true", async () => {
    const sandbox = await run("ends-alone", "e2");
    await one.agent.kill();
    const done = join(sandbox, "ends-alone.done");
    await writeFile(done, "");
    await until(() => !existsSync(done));
    await one.start();
    await one.runner.reaches("ends-alone", TaskState.TASK_FINISHED);
    // What was not acknowledged to the executor would come again now.
    await one.kill();
    await run("after", "e2");
    expect(told("ends-alone")).to.deep.equal(["TASK_RUNNING", "TASK_FINISHED"]);
  });

  it("that do not come back in time are ended, and their tasks lost for that reason", async () => {
    const sandbox = await run("hangs", "e3");
    const pid = pidIn(sandbox);
    process.kill(pid, "SIGSTOP");
    await one.kill();
    await one.runner.reaches("hangs", TaskState.TASK_LOST);
    expect(told("hangs")).to.deep.equal([
      "TASK_RUNNING",
      'TASK_LOST REASON_EXECUTOR_REREGISTRATION_TIMEOUT "Executor did not reregister within 15secs"',
    ]);
    await until(() => !isAlive(readProcessStat(pid)));
  });
});
