import {
  appendFile,
  mkdtemp,
  readdir,
  readFile,
  readlink,
  rm,
  stat,
  truncate,
  utimes,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { Checkpoints } from "../../../../core/agent/checkpoint.js";
import { WorkerDisk } from "../../../../core/agent/disk/worker-disk.js";
import { Executor } from "../../../../core/agent/executors/executor.js";
import { Framework } from "../../../../core/agent/framework.js";
import { AgentPaths } from "../../../../core/agent/paths.js";
import { SavedStateReader } from "../../../../core/agent/recovery/read-saved-state.js";
import { makeUpdate } from "../../../../core/agent/tasks/status.js";
import { encodeRecord } from "../../../../core/agent/updates/update-record.js";
import { AgentInfo, FrameworkInfo, Task } from "../../../../proto/gen/mesos/v1/mesos.js";
import { restoringBeside } from "../../../../sdk/files/index.js";
import { AGENT_ID, AgentBench, FRAMEWORK_ID } from "../support/agent-bench.js";

const bench = new AgentBench();
const ids = { agentId: AGENT_ID, frameworkId: FRAMEWORK_ID, executorId: "t1", containerId: "c1" };

describe("the agent's files", () => {
  let directory: string;
  let paths: AgentPaths;
  let disk: WorkerDisk;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "tepui-meta-"));
    paths = new AgentPaths(directory);
    disk = new WorkerDisk({ aside: join(directory, "removing") });
  });

  afterEach(async () => {
    await disk.stop();
    await rm(directory, { recursive: true });
  });

  const read = () => new SavedStateReader(paths, { now: Date.now(), strict: true }).read("b");

  async function writeAll(): Promise<void> {
    const checkpoints = new Checkpoints(paths);
    const framework = new Framework(
      FRAMEWORK_ID,
      bench.framework({ checkpoint: true }),
      "scheduler-1@10.0.0.3:1",
    );
    const info = { executor_id: { value: "t1" }, resources: [] };
    const executor = new Executor({
      ids,
      info,
      directory: paths.work.run(ids),
      user: undefined,
      checkpoint: true,
      generated: true,
    });
    const facts = { frameworkId: FRAMEWORK_ID, taskId: "t1", state: 1, source: 2 };
    const update = makeUpdate(facts, { agentId: AGENT_ID, timestamp: 5, uuid: Buffer.alloc(16, 7) });
    const path = paths.meta.taskUpdates(ids, "t1");
    const max_completion_time = { nanoseconds: 5n };
    await disk.apply([
      ...checkpoints.agent({ hostname: "h", resources: [], attributes: [], id: { value: AGENT_ID } }),
      ...checkpoints.bootId("b"),
      ...checkpoints.framework(AGENT_ID, framework),
      ...checkpoints.sandbox(executor),
      ...checkpoints.executor(executor),
      ...checkpoints.task(executor, bench.task("t1", { max_completion_time })),
      ...checkpoints.forkedPid(executor, 99),
      { op: "append", path, data: encodeRecord({ type: 0, update }) },
      { op: "append", path, data: encodeRecord({ type: 1, uuid: Buffer.alloc(16, 7) }) },
    ]);
  }

  it("are for nobody else to read: there are secrets in what tasks are told", async () => {
    for (const op of ["write", "create", "append"] as const) {
      const path = join(directory, op);
      await disk.apply([{ op, path, data: Buffer.from("secret") }]);
      expect((await stat(path)).mode & 0o777).to.equal(0o600);
    }
  });

  it("of no earlier run are nothing", async () => {
    const saved = await read();
    expect(saved.info).to.equal(undefined);
    expect([saved.frameworks, saved.leftovers, saved.problems]).to.deep.equal([[], [], []]);
  });

  it("of no earlier run are refused where a restore of one did not come to its end", async () => {
    const restoring = restoringBeside(paths.meta.root);
    await disk.apply([{ op: "create", path: join(restoring, "boot_id"), data: Buffer.from("b") }]);
    const refused = await read().then(() => "", String);
    expect(refused).to.contain(`remove '${restoring}' to start as a new agent`);
    await writeAll();
    expect((await read()).info!.id!.value, "it was there all the time").to.equal(AGENT_ID);
  });

  it("give back what was written", async () => {
    await writeAll();
    const saved = await read();
    expect(saved.info!.id!.value).to.equal(AGENT_ID);
    expect(saved.bootId).to.equal("b");
    const [framework] = saved.frameworks;
    expect([framework!.id, framework!.pid, framework!.info.checkpoint]).to.deep.equal([
      FRAMEWORK_ID,
      "scheduler-1@10.0.0.3:1",
      true,
    ]);
    const [executor] = framework!.executors;
    expect(executor).to.deep.include({ id: "t1", generated: true, containerId: "c1", completed: false });
    const [task] = executor!.tasks;
    expect(task!.task.task_id!.value).to.equal("t1");
    expect(task!.definition!.max_completion_time!.nanoseconds).to.equal(5n);
    expect(task!.updates.map(({ status }) => status!.state)).to.deep.equal([1]);
    expect(task!.acknowledged.size).to.equal(1);
    expect(await readFile(paths.meta.forkedPid(ids), "utf8")).to.equal("99");
    expect(saved.leftovers).to.deep.equal([]);
  });

  it("name a process that still runs, and no other that has its number now, nor one of an earlier boot", async () => {
    await writeAll();
    const path = paths.meta.forkedPid(ids);
    const process = async (boot = "b") => {
      const saved = await new SavedStateReader(paths, { now: Date.now(), strict: true }).read(boot);
      return saved.frameworks[0]!.executors[0]!.process;
    };
    await writeFile(path, String(globalThis.process.pid));
    expect(await process()).to.equal(globalThis.process.pid);
    expect(await process("another")).to.equal(undefined);
    await utimes(path, 1000, 1000);
    expect(await process(), "it began after the number was written down").to.equal(undefined);
    for (const text of ["", "0", "-1", "x", "99999999999"]) {
      await writeFile(path, text);
      expect(await process(), text).to.equal(undefined);
    }
  });

  it("say of a scheduler without an address what libprocess says: Mesos's agents pass an empty file over with all that is below", async () => {
    const framework = new Framework(FRAMEWORK_ID, bench.framework({ checkpoint: true }), undefined);
    await disk.apply(new Checkpoints(paths).framework(AGENT_ID, framework));
    expect(await readFile(paths.meta.frameworkPid(ids), "utf8")).to.equal("@0.0.0.0:0");
  });

  it("that were cut off count as not written", async () => {
    await writeAll();
    await appendFile(paths.meta.taskUpdates(ids, "t1"), Buffer.from([50, 0, 0, 0, 1, 2]));
    const saved = await read();
    expect(saved.frameworks[0]!.executors[0]!.tasks[0]!.updates).to.have.length(1);
    expect(saved.problems.join()).to.match(/task.updates' was cut off; its last 6 bytes do not count/);
    expect(saved.frameworks[0]!.executors[0]!.tasks[0]!.cutAt).to.equal(
      (await stat(paths.meta.taskUpdates(ids, "t1"))).size - 6,
    );
    await rm(paths.meta.taskUpdates(ids, "t1"));
    await truncate(paths.meta.taskInfo(ids, "t1"), 3);
    expect((await read()).frameworks[0]!.executors[0]!.tasks).to.deep.equal([]);
    await rm(paths.meta.latestRun(ids));
    await rm(paths.meta.run(ids), { recursive: true });
    await truncate(paths.meta.executorInfo(ids), 0);
    expect((await read()).frameworks[0]!.executors).to.deep.equal([]);
  });

  it("of an executor that was to start again may be cut off: the run before it is over", async () => {
    await writeAll();
    await disk.apply([{ op: "create", path: paths.meta.sentinel(ids), data: Buffer.alloc(0) }]);
    await truncate(paths.meta.executorInfo(ids), 2);
    expect((await read()).frameworks[0]!.executors).to.deep.equal([]);
  });

  it("of what is over hold nothing up when they are damaged", async () => {
    await writeAll();
    await disk.apply([{ op: "create", path: paths.meta.sentinel(ids), data: Buffer.alloc(0) }]);
    await writeFile(paths.meta.taskInfo(ids, "t1"), Buffer.from([2, 0, 0, 0, 255, 255]));
    const { frameworks, problems } = await read();
    expect(frameworks[0]!.executors[0]).to.deep.include({ completed: true, tasks: [] });
    expect(problems.join()).to.match(/task\.info' is damaged: .*; passing it over/);
  });

  it("of an agent of Mesos carry no checksums, and are taken up", async () => {
    await writeAll();
    const unsealed = (path: string, message: Uint8Array) => {
      const length = Buffer.alloc(4);
      length.writeUInt32LE(message.length);
      return writeFile(path, Buffer.concat([length, message]));
    };
    const before = await read();
    const [framework] = before.frameworks;
    const [executor] = framework!.executors;
    await unsealed(paths.meta.agentInfo(AGENT_ID), AgentInfo.encode(before.info!).finish());
    await unsealed(paths.meta.frameworkInfo(ids), FrameworkInfo.encode(framework!.info).finish());
    await unsealed(paths.meta.taskInfo(ids, "t1"), Task.encode(executor!.tasks[0]!.task).finish());
    expect(await read()).to.deep.equal(before);
  });

  it("that make no sense stop the recovery, by name", async () => {
    await writeAll();
    await writeFile(paths.meta.executorInfo(ids), Buffer.from([2, 0, 0, 0, 255, 255]));
    const refused = await read().then(() => "", String);
    expect(refused).to.match(/cannot take up .*\n.*executor\.info' is damaged/);
    expect(refused).to.match(/--strict=false/);
  });

  it("of other agents and of frameworks that do not checkpoint are left over", async () => {
    await writeAll();
    const other = join(directory, "slaves", "other-S1");
    const forgotten = paths.work.framework({ agentId: AGENT_ID, frameworkId: "m-0009" });
    await disk.apply([
      { op: "mkdir", path: other },
      { op: "mkdir", path: forgotten },
    ]);
    const { leftovers } = await read();
    expect(leftovers.map(({ path }) => path)).to.have.members([other, forgotten]);
    expect(leftovers.every(({ age }) => age >= 0 && age < 60_000)).to.equal(true);
  });

  it("of ended executors and of earlier runs are left over, as old as their last use", async () => {
    await writeAll();
    const ended = { ...ids, executorId: "ended" };
    await disk.apply([
      { op: "mkdir", path: paths.work.run({ ...ids, containerId: "c0" }) },
      { op: "mkdir", path: paths.work.run(ended) },
      { op: "mkdir", path: paths.meta.executor({ ...ended, executorId: "unreadable" }) },
    ]);
    const hourAgo = new Date(Date.now() - 3_600_000);
    await utimes(paths.work.executor(ended), hourAgo, hourAgo);
    await utimes(paths.work.runs(ended), hourAgo, hourAgo);
    await utimes(paths.work.run({ ...ids, containerId: "c0" }), hourAgo, hourAgo);
    const { leftovers } = await read();
    const age = (path: string) => leftovers.find((one) => one.path === path)?.age;
    expect(leftovers.map(({ path }) => path)).to.have.members([
      paths.work.run({ ...ids, containerId: "c0" }),
      paths.work.executor(ended),
      paths.meta.executor({ ...ids, executorId: "unreadable" }),
    ]);
    expect(age(paths.work.run({ ...ids, containerId: "c0" }))).to.be.closeTo(3_600_000, 60_000);
    expect(age(paths.work.executor(ended)), "its run was used since").to.be.lessThan(60_000);
  });
});

describe("the agent's disk", () => {
  let directory: string;
  let disk: WorkerDisk;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "tepui-disk-"));
    disk = new WorkerDisk({ aside: join(directory, "removing") });
  });

  afterEach(async () => {
    await disk.stop();
    await rm(directory, { recursive: true });
  });

  it("works in the order in which it was asked, whoever asked", async () => {
    const path = join(directory, "deep", "log");
    const all = Array.from({ length: 100 }, (_, i) =>
      disk.apply([{ op: "append", path, data: Buffer.from(`${i}\n`) }]),
    );
    await Promise.all(all);
    const lines = (await readFile(path, "utf8")).trim().split("\n").map(Number);
    expect(lines).to.deep.equal(Array.from({ length: 100 }, (_, i) => i));
  });

  it("tells which operation failed, and goes on with the next group", async () => {
    await writeFile(join(directory, "file"), "");
    const bad = disk.apply([
      { op: "mkdir", path: join(directory, "file", "x") },
      { op: "create", path: join(directory, "never"), data: Buffer.from("") },
    ]);
    const good = disk.apply([{ op: "create", path: join(directory, "good"), data: Buffer.from("1") }]);
    expect(await bad.then(() => "", String)).to.match(/cannot mkdir '.*file\/x'/);
    await good;
    expect(await readFile(join(directory, "never"), "utf8").catch(() => "absent")).to.equal("absent");
  });

  it("makes nothing anew of what was removed, where that is not wanted", async () => {
    const [gone, there] = ["gone", "there"].map((name) => join(directory, name)) as [string, string];
    const data = Buffer.from("1");
    await disk.apply([
      { op: "mkdir", path: there },
      { op: "write", path: join(gone, "a"), data, unlessGone: true },
      { op: "create", path: join(gone, "b"), data, unlessGone: true },
      { op: "write", path: join(there, "a"), data, unlessGone: true },
      { op: "create", path: join(there, "b"), data, unlessGone: true },
    ]);
    expect(await readdir(directory)).to.not.include("gone");
    expect((await readdir(there)).sort()).to.deep.equal(["a", "b"]);
  });

  it("replaces links and files, and says that an owner does not exist", async () => {
    const path = join(directory, "latest");
    await disk.apply([
      { op: "symlink", path, target: "one" },
      { op: "symlink", path, target: "two" },
      { op: "write", path: join(directory, "f"), data: Buffer.from("1"), durable: true },
      { op: "write", path: join(directory, "f"), data: Buffer.from("2") },
    ]);
    expect([await readlink(path), await readFile(join(directory, "f"), "utf8")]).to.deep.equal(["two", "2"]);
    const failed = disk.apply([{ op: "mkdir", path: join(directory, "d"), owner: "no-such-user" }]);
    expect(await failed.then(() => "", String)).to.match(
      /the user 'no-such-user' does not exist on this host/,
    );
  });

  if (process.getuid?.() !== 0) {
    it("says that it takes root to give a sandbox to another user", async () => {
      const failed = disk.apply([{ op: "mkdir", path: join(directory, "d"), owner: "root" }]);
      expect(await failed.then(() => "", String)).to.match(
        /only an agent that is root can run tasks as 'root'/,
      );
    });
  }
});
