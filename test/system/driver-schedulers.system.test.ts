import { expect } from "chai";
import { type FrameworkInfo, type TaskInfo, TaskState } from "../../proto/gen/mesos/v1/mesos.js";
import { Call_Type } from "../../proto/gen/mesos/v1/scheduler/scheduler.js";
import { resourceList } from "../../sdk/index.js";
import { EXECUTORS } from "../support/all-kinds.js";
import { type Cluster, getJson, startCluster, until } from "../support/cluster.js";
import type { Daemon } from "../support/daemons.js";
import { SchedulerDriver } from "../support/scheduler-driver.js";

const { TASK_RUNNING, TASK_KILLED } = TaskState;

describe("schedulers of the v0 driver on a cluster", function () {
  this.timeout(60_000);
  let cluster: Cluster;
  let master: Daemon;
  const drivers: SchedulerDriver[] = [];

  before(async () => {
    cluster = await startCluster({
      // The agent looks for a master that it does not hear from soon; a slow one is not given up.
      masterFlags: ["--agent_ping_timeout=5secs", "--max_agent_ping_timeouts=3"],
      agentFlags: ["--launcher=posix", "--isolation=posix/cpu,posix/mem"],
    });
    master = cluster.master;
  });
  after(async () => {
    for (const driver of drivers) await driver.stop();
    await cluster?.stop();
    await master?.stop();
  });

  const framework: FrameworkInfo = {
    name: "driven",
    user: process.getuid?.() === 0 ? "root" : (process.env.USER ?? ""),
    checkpoint: true,
    failover_timeout: 60,
    roles: [],
    capabilities: [],
    offer_filters: {},
  };

  async function start(info: FrameworkInfo = framework, force = false): Promise<SchedulerDriver> {
    const driver = await SchedulerDriver.start(master.port);
    drivers.push(driver);
    await driver.subscribe(info, force);
    return driver;
  }

  /** Runs `t` by an executor that repeats what the scheduler says; resolves to where its agent is. */
  async function run(driver: SchedulerDriver): Promise<{ agent: string; agentId: string }> {
    await until(() => driver.offers.length > 0);
    const { offer, agent } = driver.offers.shift()!;
    const task: TaskInfo = {
      name: "t",
      task_id: { value: "t" },
      agent_id: offer.agent_id,
      resources: resourceList("cpus:0.1;mem:32") as TaskInfo["resources"],
      limits: {},
      executor: {
        executor_id: { value: "e" },
        framework_id: driver.id,
        command: { value: EXECUTORS.v0, uris: [], arguments: [] },
        resources: resourceList("cpus:0.1;mem:128") as TaskInfo["resources"],
      },
    };
    driver.launch(offer, task);
    await driver.sees("t", ({ state }) => state === TASK_RUNNING);
    return { agent, agentId: offer.agent_id!.value! };
  }

  it("run tasks, talk with executors past the master, and end", async () => {
    const driver = await start();
    const { agent, agentId } = await run(driver);
    driver.message(agent, { agentId, executorId: "e", data: "hello" });
    await driver.sees("t", ({ message }) => message === "hello");
    driver.call({ type: Call_Type.KILL, kill: { task_id: { value: "t" } } });
    await driver.sees("t", ({ state }) => state === TASK_KILLED);
    driver.call({ type: Call_Type.TEARDOWN });
    await until(async () => {
      const { completed_frameworks } = (await getJson(master, "/frameworks")) as {
        completed_frameworks: { id: string; pid: string }[];
      };
      return completed_frameworks.some(({ id, pid }) => id === driver.id?.value && pid === driver.pid);
    });
    expect(driver.errors).to.deep.equal([]);
  });

  it("that die leave their tasks to the next instance, and outlive a master", async () => {
    const first = await start();
    const { id } = first;
    const { agent, agentId } = await run(first);
    await first.stop();
    drivers.splice(drivers.indexOf(first), 1);
    const second = await start({ ...framework, id }, true);
    expect(second.id).to.deep.equal(id);
    second.message(agent, { agentId, executorId: "e", data: "still there?" });
    await second.sees("t", ({ message }) => message === "still there?");

    await master.kill();
    await until(() => second.exited);
    master = await master.restart();
    await second.subscribe({ ...framework, id });
    await until(async () => {
      const { slaves } = (await getJson(master, "/slaves")) as { slaves: { active: boolean }[] };
      return slaves.some(({ active }) => active);
    });
    second.call({ type: Call_Type.KILL, kill: { task_id: { value: "t" } } });
    await second.sees("t", ({ state }) => state === TASK_KILLED);
    second.call({ type: Call_Type.TEARDOWN });
  });
});
