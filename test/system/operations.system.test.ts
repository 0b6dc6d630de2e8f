import { readdir, readFile, stat } from "node:fs/promises";
import { expect } from "chai";
import {
  FrameworkInfo_Capability_Type as Capability,
  type Resource,
  TaskState,
  Value_Type,
} from "../../proto/gen/mesos/v1/mesos.js";
import { SchedulerClient } from "../../sdk/index.js";
import { type Cluster, getJson, startCluster, until } from "../support/cluster.js";
import type { Daemon } from "../support/daemons.js";

type Json = Record<string, unknown>;

const RESERVATION = { type: "DYNAMIC", role: "dev", principal: "ops" };
const reserved = (name: string, value: number): Json => ({
  name,
  type: "SCALAR",
  scalar: { value },
  reservations: [RESERVATION],
});
const volume = (mb: number): Json => ({
  ...reserved("disk", mb),
  disk: {
    persistence: { id: "data", principal: "ops" },
    volume: { container_path: "data", mode: "RW" },
  },
});

interface Slave {
  readonly id: string;
  readonly reserved_resources: Record<string, { disk?: number }>;
  readonly used_resources: { disk?: number };
}

const slave = async (master: Daemon): Promise<Slave | undefined> =>
  ((await getJson(master, "/slaves")) as { slaves: Slave[] }).slaves[0];

async function form(master: Daemon, path: string, fields: Record<string, string>): Promise<number> {
  const response = await fetch(`http://127.0.0.1:${master.port}${path}`, {
    method: "POST",
    body: new URLSearchParams(fields),
  });
  await response.text();
  return response.status;
}

async function call(master: Daemon, body: Json): Promise<{ status: number; body: string }> {
  const response = await fetch(`http://127.0.0.1:${master.port}/api/v1`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
  return { status: response.status, body: await response.text() };
}

/** Runs a command with the volume to its end. */
async function run(master: Daemon, command: string): Promise<TaskState | undefined> {
  const capabilities = [{ type: Capability.MULTI_ROLE }, { type: Capability.RESERVATION_REFINEMENT }];
  const framework = { name: "volumes", roles: ["dev"], capabilities };
  await using client = new SchedulerClient({ master: `127.0.0.1:${master.port}`, framework });
  const names = new Set(["cpus", "mem"]);
  let launched = false;
  for await (const event of client.events()) {
    if (event.type === "offers") {
      for (const offer of event.offers) {
        const persistent = offer.resources.find(({ disk }) => disk?.persistence !== undefined);
        if (launched || persistent === undefined) {
          void client.decline(offer);
          continue;
        }
        launched = true;
        const small = offer.resources
          .filter(({ name, reservations }) => names.has(name ?? "") && reservations.length === 0)
          .map(
            (one): Resource => ({
              ...one,
              type: Value_Type.SCALAR,
              scalar: { value: one.name === "cpus" ? 0.1 : 32 },
            }),
          );
        void client.launch(offer, [
          {
            name: "t",
            task_id: { value: "t" },
            command: { value: command },
            resources: [...small, persistent],
          },
        ]);
      }
    } else if (event.type === "update") {
      const { state } = event.status;
      if (state === TaskState.TASK_STARTING || state === TaskState.TASK_RUNNING) continue;
      await client.teardown();
      return state;
    }
  }
  return undefined;
}

describe("volumes and reservations on a real cluster", function () {
  this.timeout(90_000);
  let cluster: Cluster;
  let master: Daemon;
  let agent: Daemon;
  let agentId: string;

  before(async () => {
    cluster = await startCluster();
    master = cluster.master;
    agent = cluster.agents[0]!;
    agentId = (await slave(master))!.id;
  });
  after(async () => {
    await agent?.stop();
    await master?.stop();
  });

  const reservedDisk = async () => (await slave(master))?.reserved_resources.dev?.disk;
  const state = async () => (await getJson(agent, "/state")) as { flags: { work_dir: string } };
  const path = async () => `${(await state()).flags.work_dir}/volumes/roles/dev/data`;

  it("are made by operators", async () => {
    const resources = JSON.stringify([reserved("disk", 64)]);
    expect(await form(master, "/reserve", { slaveId: agentId, resources })).to.equal(202);
    const volumes = JSON.stringify([volume(64)]);
    expect(await form(master, "/create-volumes", { slaveId: agentId, volumes })).to.equal(202);
    expect(await reservedDisk()).to.equal(64);
    await until(async () => (await stat(await path()).catch(() => undefined)) !== undefined);
    // Once more is more than there is.
    const grown = JSON.stringify([reserved("disk", 1e6)]);
    expect(await form(master, "/reserve", { slaveId: agentId, resources: grown })).to.equal(409);
  });

  it("keep what tasks write, whoever dies", async () => {
    expect(await run(master, "echo one > data/file")).to.equal(TaskState.TASK_FINISHED);
    await agent.kill();
    agent = await agent.restart();
    await until(async () => (await slave(master))?.id === agentId);
    await master.kill();
    master = await master.restart();
    await until(async () => (await reservedDisk()) === 64);
    const written = "test $(cat data/file) = one && echo two >> data/file";
    expect(await run(master, written)).to.equal(TaskState.TASK_FINISHED);
    expect(await readFile(`${await path()}/file`, "utf8")).to.equal("one\ntwo\n");
  });

  it("are resized, destroyed and given back by the v1 API", async () => {
    const agent_id = { value: agentId };
    const shrink = { agent_id, volume: volume(64), subtract: { value: 32 } };
    const answer = await call(master, { type: "SHRINK_VOLUME", shrink_volume: shrink });
    expect(answer).to.deep.equal({ status: 202, body: "" });
    const destroy = { type: "DESTROY_VOLUMES", destroy_volumes: { agent_id, volumes: [volume(32)] } };
    expect((await call(master, destroy)).status).to.equal(202);
    await until(async () => (await stat(await path()).catch(() => undefined)) === undefined);
    const resources = [reserved("disk", 64)];
    const unreserve = { type: "UNRESERVE_RESOURCES", unreserve_resources: { agent_id, resources } };
    expect((await call(master, unreserve)).status).to.equal(202);
    expect(await reservedDisk()).to.equal(undefined);
    // The operations have come to their ends, and nobody waits for them.
    await until(async () => {
      const { body } = await call(master, { type: "GET_OPERATIONS" });
      return body === '{"type":"GET_OPERATIONS","get_operations":{}}';
    });
    await until(async () => (await readdir(`${(await state()).flags.work_dir}/removing`)).length === 0);
    expect((await call(master, destroy)).status).to.equal(400);
  });

  it("leave quotas and weights to the next master", async () => {
    const config = { role: "dev", guarantees: { cpus: { value: 1 } }, limits: { cpus: { value: 2 } } };
    const update = { type: "UPDATE_QUOTA", update_quota: { quota_configs: [config] } };
    expect(await call(master, update)).to.deep.equal({ status: 200, body: "" });
    const weights = {
      type: "UPDATE_WEIGHTS",
      update_weights: { weight_infos: [{ role: "dev", weight: 3 }] },
    };
    expect((await call(master, weights)).status).to.equal(200);
    await master.kill();
    master = await master.restart();
    await until(async () => (await slave(master))?.id === agentId);
    expect(await getJson(master, "/weights")).to.deep.equal([{ weight: 3, role: "dev" }]);
    const quota = (await getJson(master, "/quota")) as { configs: unknown };
    expect(quota.configs).to.deep.equal([config]);
    const { roles } = (await getJson(master, "/roles")) as { roles: { name: string; quota: Json }[] };
    expect(roles.find(({ name }) => name === "dev")!.quota).to.deep.include({
      guarantee: { cpus: 1 },
      limit: { cpus: 2 },
    });
    const response = await fetch(`http://127.0.0.1:${master.port}/quota/dev`, { method: "DELETE" });
    expect(response.status).to.equal(200);
    expect(await getJson(master, "/quota")).to.deep.equal({});
  });
});
