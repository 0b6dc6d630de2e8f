import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { OperationState, type OperationStatus, TaskState } from "../../proto/gen/mesos/v1/mesos.js";
import { type Cluster, getJson, startCluster, until } from "../support/cluster.js";
import type { Daemon } from "../support/daemons.js";
import {
  create,
  isFree,
  isVolume,
  megabytes,
  PatientScheduler,
  reserve,
  reserved,
  volumeOf,
} from "../support/patient-scheduler.js";

const isUnused = (name: string) => (resource: Parameters<typeof isFree>[0]) =>
  resource.name === name && isFree(resource);

const IDS = ["a reservation", "a volume"];

describe("offer operations whose end nobody has acknowledged", function () {
  this.timeout(90_000);
  let cluster: Cluster;
  let master: Daemon;
  let agent: Daemon;
  let scheduler: PatientScheduler;

  before(async () => {
    // What is left of tasks is removed at once, as it would be after a week.
    cluster = await startCluster({ agentFlags: ["--gc_delay=100ms", "--isolation=filesystem/linux"] });
    master = cluster.master;
    agent = cluster.agents[0]!;
    scheduler = await PatientScheduler.subscribe(master);
  });
  after(async () => {
    await scheduler?.client.teardown();
    await agent?.stop();
    await master?.stop();
  });

  const agentIsBack = () =>
    until(async () => {
      const { slaves } = (await getJson(master, "/slaves").catch(() => ({ slaves: [] }))) as {
        slaves: { active: boolean }[];
      };
      return slaves.length === 1 && slaves[0]!.active;
    });

  /** Of each operation the update that it ends with, and how often it has come. */
  const ends = () =>
    IDS.map((id) => {
      const updates = scheduler.updatesOf(id);
      return { uuid: updates[0]?.uuid?.value, state: updates[0]?.state, times: updates.length };
    });

  const workDir = async () =>
    ((await getJson(agent, "/state")) as { flags: { work_dir: string } }).flags.work_dir;
  const volume = async () => join(await workDir(), "volumes/roles/dev/data");

  /** Until both have come once more than that often; each time with the same UUID. */
  async function comeAgain(before: ReturnType<typeof ends>): Promise<void> {
    await until(() => ends().every(({ times }, i) => times > before[i]!.times));
    for (const id of IDS) {
      const uuids = new Set(scheduler.updatesOf(id).map(hexUuid));
      expect([...uuids]).to.have.length(1);
    }
  }

  it("are told once they are durable", async () => {
    const offer = await scheduler.offerOf(isUnused("disk"));
    const disk = reserved(megabytes(offer.resources.find(isUnused("disk"))!, 64));
    await scheduler.accept(offer, [
      reserve([disk], "a reservation"),
      create([volumeOf(disk, "data")], "a volume"),
    ]);
    await until(() => ends().every(({ times }) => times > 0));
    expect(ends().map(({ state }) => state)).to.deep.equal([
      OperationState.OPERATION_FINISHED,
      OperationState.OPERATION_FINISHED,
    ]);
    expect((await stat(await volume())).isDirectory()).to.equal(true);
  });

  it("are told again, as the same updates, by an agent that was killed and is back", async () => {
    const before = ends();
    await agent.kill();
    agent = await agent.restart();
    await comeAgain(before);
  });

  it("are told again through the next master", async () => {
    await agentIsBack();
    const offer = await scheduler.offerOf(isVolume("data"), isUnused("cpus"), isUnused("mem"));
    const written = await scheduler.run(
      offer,
      "echo one > data/file",
      offer.resources.filter(isVolume("data")),
    );
    expect(written.state, written.message).to.equal(TaskState.TASK_FINISHED);
    const before = ends();
    await master.kill();
    master = await master.restart();
    await comeAgain(before);
  });

  it("are forgotten with the acknowledgement, whoever dies then; reservation and volume stay", async () => {
    await agentIsBack();
    for (const id of IDS) {
      await scheduler.client.acknowledgeOperation(scheduler.updatesOf(id).at(-1)!);
    }
    await until(async () => (await operations()).length === 0);
    // The agent, too, has them no more: killed before, it would rightly tell them once more.
    await until(async () => {
      const text = await saved();
      return !IDS.some((id) => text.includes(id));
    });
    const before = ends();
    await agent.kill();
    agent = await agent.restart();
    await agentIsBack();
    // The answer to the question comes after all that the agent has to say about operations.
    await scheduler.client.reconcileOperations([{ operationId: "a volume", agentId: await agentId() }]);
    await until(() => scheduler.updatesOf("a volume").length > before[1]!.times);
    expect(scheduler.updatesOf("a volume").at(-1)!.state).to.equal(OperationState.OPERATION_UNKNOWN);
    expect(scheduler.updatesOf("a reservation").length).to.equal(before[0]!.times);
    expect(await operations()).to.deep.equal([]);
    const offer = await scheduler.offerOf(isVolume("data"));
    await scheduler.client.decline(offer, { refuse_seconds: 0 });
    expect(await readFile(join(await volume(), "file"), "utf8")).to.equal("one\n");
  });

  it("leave a volume that no clean-up reaches through the mounts of its tasks", async () => {
    const offer = await scheduler.offerOf(isVolume("data"), isUnused("cpus"), isUnused("mem"));
    const taskId = await scheduler.begin(
      offer,
      "echo two >> data/file; sleep 1000",
      offer.resources.filter(isVolume("data")),
    );
    await scheduler.task(taskId, (state) => state === TaskState.TASK_RUNNING);
    await until(async () => (await readFile(join(await volume(), "file"), "utf8")) === "one\ntwo\n");
    await agent.kill();
    agent = await agent.restart();
    await agentIsBack();
    await scheduler.client.kill(taskId);
    await scheduler.task(taskId, (state) => state === TaskState.TASK_KILLED);
    // Its sandbox, in which the volume was mounted, is collected.
    await until(async () => (await sandboxes()).length === 0);
    expect(await readFile(join(await volume(), "file"), "utf8")).to.equal("one\ntwo\n");
  });

  /** What the agent has written down of reservations, volumes and operations. */
  const saved = async () =>
    readFile(join(await workDir(), "meta/resources/resources_and_operations.state"), "latin1").catch(
      () => "",
    );

  const agentId = async () =>
    ((await getJson(master, "/slaves")) as { slaves: { id: string }[] }).slaves[0]!.id;

  async function operations(): Promise<unknown[]> {
    const response = await fetch(`http://127.0.0.1:${master.port}/api/v1`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: '{"type":"GET_OPERATIONS"}',
    });
    const answer = (await response.json()) as { get_operations: { operations?: unknown[] } };
    return answer.get_operations.operations ?? [];
  }

  /** Directories of runs that are still there. */
  async function sandboxes(): Promise<string[]> {
    try {
      const all = await readdir(join(await workDir(), "slaves"), { recursive: true, withFileTypes: true });
      return all
        .filter((entry) => entry.isDirectory() && entry.parentPath.endsWith("/runs"))
        .map(({ name }) => name);
    } catch (error) {
      // A directory went while it was read.
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return sandboxes();
      throw error;
    }
  }
});

const hexUuid = ({ uuid }: OperationStatus): string => Buffer.from(uuid?.value ?? []).toString("hex");
