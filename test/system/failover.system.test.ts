import { expect } from "chai";
import { TaskState, type TaskStatus } from "../../proto/gen/mesos/v1/mesos.js";
import { resourceList, SchedulerClient } from "../../sdk/index.js";
import { type Cluster, getJson, startCluster, until } from "../support/cluster.js";

interface FrameworkState {
  readonly id: string;
  readonly active: boolean;
  readonly tasks: readonly { readonly id: string; readonly state: string }[];
  readonly completed_tasks: readonly { readonly id: string; readonly state: string }[];
}

interface MasterState {
  readonly frameworks: readonly FrameworkState[];
  readonly completed_frameworks: readonly FrameworkState[];
}

describe("a scheduler that goes away", function () {
  this.timeout(60_000);
  let cluster: Cluster;
  before(async () => {
    cluster = await startCluster();
  });
  after(() => cluster.stop());

  const state = async () => (await getJson(cluster.master, "/state")) as MasterState;

  function clientFor(framework: { id?: string; failoverTimeout: number }) {
    const updates: TaskStatus[] = [];
    const client = new SchedulerClient({
      master: `127.0.0.1:${cluster.master.port}`,
      framework: {
        name: "failover",
        roles: ["*"],
        capabilities: [{ type: 6 }],
        failover_timeout: framework.failoverTimeout,
        ...(framework.id !== undefined && { id: { value: framework.id } }),
      },
    });
    client.on("update", ({ status }) => void updates.push(status));
    const seen = (taskId: string, wanted: TaskState) =>
      updates.find((status) => status.task_id?.value === taskId && status.state === wanted);
    return { client, seen, updates };
  }

  /** Starts one task that stays, and resolves when it runs. */
  async function launchSleeper(run: ReturnType<typeof clientFor>, taskId: string): Promise<void> {
    let launched = false;
    run.client.on("offers", async ({ offers }) => {
      for (const offer of offers) {
        if (launched) await run.client.decline(offer).catch(() => undefined);
        else {
          launched = true;
          await run.client.launch(offer, [sleeper(taskId)]);
        }
      }
    });
    await run.client.start();
    await until(() => run.seen(taskId, TaskState.TASK_RUNNING) !== undefined);
  }

  it("keeps its tasks when it subscribes again with its id within failover_timeout", async () => {
    const first = clientFor({ failoverTimeout: 3600 });
    await launchSleeper(first, "kept");
    const id = first.client.frameworkId ?? "";
    await first.client.close();
    await until(async () => (await state()).frameworks.find((each) => each.id === id)?.active === false);

    const second = clientFor({ id, failoverTimeout: 3600 });
    await second.client.start();
    expect(second.client.frameworkId).to.equal(id);
    await second.client.reconcile();
    await until(() => second.seen("kept", TaskState.TASK_RUNNING) !== undefined);
    const framework = (await state()).frameworks.find((each) => each.id === id);
    expect(framework?.tasks.map((task) => [task.id, task.state])).to.deep.equal([["kept", "TASK_RUNNING"]]);

    await second.client.kill("kept");
    await until(() => second.seen("kept", TaskState.TASK_KILLED) !== undefined);
    await second.client.teardown();
  });

  it("loses its tasks, and its id, when failover_timeout passes", async () => {
    const first = clientFor({ failoverTimeout: 0.2 });
    await launchSleeper(first, "lost");
    const id = first.client.frameworkId ?? "";
    await first.client.close();
    await until(async () => (await state()).completed_frameworks.some((each) => each.id === id));
    const completed = (await state()).completed_frameworks.find((each) => each.id === id);
    expect(completed?.completed_tasks.map((task) => [task.id, task.state])).to.deep.equal([
      ["lost", "TASK_KILLED"],
    ]);
    // The agent really ended the process tree.
    await until(async () => ((await getJson(cluster.agents[0]!, "/containers")) as unknown[]).length === 0);

    const second = clientFor({ id, failoverTimeout: 0 });
    const refusal = await second.client.start().then(
      () => undefined,
      (error: Error) => error,
    );
    expect(refusal?.message).to.contain("Framework has been removed");
  });

  it("is replaced by a second instance with the same id, which the first is told", async () => {
    const first = clientFor({ failoverTimeout: 3600 });
    await launchSleeper(first, "moved");
    const second = clientFor({ id: first.client.frameworkId ?? "", failoverTimeout: 3600 });
    await second.client.start();
    const ended = await first.client.finished.then(
      () => undefined,
      (error: Error) => error,
    );
    expect(ended?.message).to.contain("Framework failed over");
    await second.client.teardown();
  });
});

const sleeper = (taskId: string) => ({
  name: taskId,
  task_id: { value: taskId },
  resources: resourceList("cpus:0.1;mem:32"),
  command: { value: "sleep 1000" },
});
