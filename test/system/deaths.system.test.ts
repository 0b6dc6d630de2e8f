import { access, writeFile } from "node:fs/promises";
import { expect } from "chai";
import {
  type Offer,
  TaskState,
  type TaskStatus,
  TaskStatus_Reason,
  Value_Type,
} from "../../proto/gen/mesos/v1/mesos.js";
import { SchedulerClient } from "../../sdk/index.js";
import { type Cluster, getJson, startCluster, until } from "../support/cluster.js";
import type { Daemon } from "../support/daemons.js";

/** What runs while the agent is killed; the agent comes back when the ones that end have ended. */
const TASKS: Readonly<Record<string, string>> = {
  stays: "sleep 1000",
  finishes: "until [ -e go ]; do sleep 0.05; done; touch ended",
  fails: "until [ -e go ]; do sleep 0.05; done; touch ended; exit 4",
};

describe("the death of an agent", function () {
  this.timeout(60_000);
  let cluster: Cluster;
  let back: Daemon | undefined;
  before(async () => {
    cluster = await startCluster();
  });
  after(async () => {
    await back?.stop();
    await cluster.stop();
  });

  it("leaves its tasks running, and how each ended meanwhile is told when it is back, with its id", async () => {
    const { client, of } = await launchAll(cluster);
    const running = (name: string) => of(name).some(({ state }) => state === TaskState.TASK_RUNNING);
    await until(() => Object.keys(TASKS).every(running));
    const [before] = ((await getJson(cluster.master, "/slaves")) as { slaves: { id: string }[] }).slaves;
    const agent = cluster.agents[0]!;
    const sandboxes = await sandboxesOf(agent.port);

    await agent.kill();
    for (const name of ["finishes", "fails"]) {
      await writeFile(`${sandboxes.get(name)}/go`, "");
      await until(() =>
        access(`${sandboxes.get(name)}/ended`).then(
          () => true,
          () => false,
        ),
      );
    }
    back = await agent.restart();
    const end = (name: string) => of(name).find(({ state }) => state !== undefined && ENDS.includes(state));
    await until(() => end("finishes") !== undefined && end("fails") !== undefined);
    const words = (name: string) => [TaskState[end(name)!.state!], end(name)!.message];
    expect(words("finishes")).to.deep.equal(["TASK_FINISHED", "Command exited with status 0"]);
    expect(words("fails")).to.deep.equal(["TASK_FAILED", "Command exited with status 4"]);
    expect(end("stays")).to.equal(undefined);
    const { slaves } = (await getJson(cluster.master, "/slaves")) as { slaves: { id: string }[] };
    expect(slaves.map(({ id }) => id)).to.deep.equal([before!.id]);

    await client.kill("stays");
    await until(() => end("stays") !== undefined);
    expect(words("stays")).to.deep.equal(["TASK_KILLED", "Command terminated with signal Terminated"]);
    await client.teardown();
  });
});

describe("the death of a master", function () {
  this.timeout(60_000);
  let cluster: Cluster;
  let back: Daemon | undefined;
  before(async () => {
    cluster = await startCluster();
  });
  after(async () => {
    for (const agent of cluster.agents) await agent.stop();
    await (back ?? cluster.master).stop();
  });

  it("leaves tasks running; agents and schedulers come back to the next one by themselves", async () => {
    const { client, of } = await launchAll(cluster);
    const running = (name: string) => of(name).some(({ state }) => state === TaskState.TASK_RUNNING);
    await until(() => Object.keys(TASKS).every(running));
    const ids = async (master: Daemon) =>
      ((await getJson(master, "/slaves")) as { slaves: { id: string }[] }).slaves.map(({ id }) => id);
    const [before] = await ids(cluster.master);
    const sandboxes = await sandboxesOf(cluster.agents[0]!.port);

    await cluster.master.kill();
    await writeFile(`${sandboxes.get("fails")}/go`, "");
    back = await cluster.master.restart();

    // What ended while there was no master is told by the agent when it is back.
    const end = (name: string) => of(name).find(({ state }) => state !== undefined && ENDS.includes(state));
    await until(() => end("fails") !== undefined);
    expect(end("fails")!.message).to.equal("Command exited with status 4");
    expect(await ids(back)).to.deep.equal([before]);
    await client.reconcile();
    await until(() => of("stays").some(({ reason }) => reason === TaskStatus_Reason.REASON_RECONCILIATION));
    expect(end("stays")).to.equal(undefined);
    await client.kill("stays");
    await until(() => end("stays") !== undefined);
    expect(end("stays")!.state).to.equal(TaskState.TASK_KILLED);
    await client.teardown();
  });
});

const ENDS: readonly TaskState[] = [TaskState.TASK_FINISHED, TaskState.TASK_FAILED, TaskState.TASK_KILLED];

async function launchAll(cluster: Cluster) {
  const updates: TaskStatus[] = [];
  const client = new SchedulerClient({
    master: `127.0.0.1:${cluster.master.port}`,
    framework: {
      name: "agent-death",
      roles: ["*"],
      capabilities: [{ type: 6 }],
      checkpoint: true,
      failover_timeout: 60,
    },
  });
  client.on("update", ({ status }) => void updates.push(status));
  let launched = false;
  client.on("offers", async ({ offers }) => {
    for (const offer of offers) {
      // A master that is killed takes its offers with it; an error would end the client.
      if (launched) await client.decline(offer).catch(() => undefined);
      else {
        launched = true;
        await client.launch(
          offer,
          Object.entries(TASKS).map(([name, value]) => task(offer, name, value)),
        );
      }
    }
  });
  await client.start();
  return { client, of: (name: string) => updates.filter(({ task_id: id }) => id?.value === name) };
}

async function sandboxesOf(port: number): Promise<ReadonlyMap<string, string>> {
  const state = (await (await fetch(`http://127.0.0.1:${port}/state`)).json()) as {
    frameworks: { executors: { id: string; directory: string }[] }[];
  };
  return new Map(
    state.frameworks.flatMap(({ executors }) => executors.map(({ id, directory }) => [id, directory])),
  );
}

function task(offer: Offer, name: string, value: string) {
  const amount = (resource: string, scalar: number) => ({
    name: resource,
    type: Value_Type.SCALAR,
    scalar: { value: scalar },
    ...(offer.allocation_info && { allocation_info: offer.allocation_info }),
  });
  return {
    name,
    task_id: { value: name },
    resources: [amount("cpus", 0.1), amount("mem", 32)],
    command: { value },
  };
}
