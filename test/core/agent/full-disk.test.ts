import { expect } from "chai";
import type { DiskOperation } from "../../../core/agent/disk/operations.js";
import { splitDelimited } from "../../../core/agent/updates/update-record.js";
import { uuidKey } from "../../../core/agent/updates/update-stream.js";
import { StatusUpdateRecord } from "../../../proto/gen/mesos/internal/messages.js";
import { Call_Type } from "../../../proto/gen/mesos/v1/executor/executor.js";
import { FrameworkInfo_Capability_Type as Capability, TaskState } from "../../../proto/gen/mesos/v1/mesos.js";
import { AgentBench, executorCall, FRAMEWORK_ID, line } from "./support/agent-bench.js";
import { Restarted } from "./support/restarted.js";

const framework = { checkpoint: true, capabilities: [{ type: Capability.PARTITION_AWARE }] };

/** What is written of a task, by the ends of the paths. */
const recordsOf = (bench: AgentBench, taskId: string): string[] =>
  bench.disk.operations.flatMap(({ path }) => path.split(`/tasks/${taskId}/`).slice(1));

/** The states in a task's file of updates as it is now. */
function updatesOf(bench: AgentBench, taskId: string): string[] {
  let file = Buffer.alloc(0);
  for (const step of bench.disk.operations) {
    if (!step.path.endsWith(`/tasks/${taskId}/task.updates`)) continue;
    if (step.op === "write") file = Buffer.from(step.data);
    else if (step.op === "append") file = Buffer.concat([file, step.data]);
  }
  return splitDelimited(file)
    .messages.map((message) => StatusUpdateRecord.decode(Buffer.from(message)).update?.status?.state)
    .flatMap((state) => (state === undefined ? [] : [TaskState[state]]));
}

async function withExecutor() {
  const bench = await AgentBench.registered();
  bench.run(bench.task("t1", { executor: bench.custom("e1") }), bench.framework(framework), true);
  await bench.settle();
  const executor = bench.subscribe("e1");
  await bench.settle();
  return { bench, executor };
}

const isFrameworkInfo = ({ path }: DiskOperation): boolean => path.endsWith("framework.info");

describe("an agent whose disk is full", () => {
  it("runs no task of a framework that it could not write down, as it would not know it again", async () => {
    const bench = await AgentBench.registered();
    bench.disk.failing = isFrameworkInfo;
    bench.run(bench.task("t1"), bench.framework(framework));
    const [end] = await bench.drain("t1");
    expect([end!.state, bench.containerizer.launched.length]).to.deep.equal([TaskState.TASK_DROPPED, 0]);
    bench.disk.failing = () => false;
    bench.run(bench.task("t2"), bench.framework(framework));
    await bench.settle();
    expect(bench.containerizer.launched).to.have.length(1);
    expect(bench.disk.operations.filter(isFrameworkInfo)).to.have.length(1);
  });

  it("writes nothing of a framework's executors before the framework", async () => {
    const bench = await AgentBench.registered();
    const below = (): string[] =>
      bench.disk.operations
        .map(({ path }) => path)
        .filter((path) => path.startsWith("/srv/meta/") && path.includes(`/${FRAMEWORK_ID}/executors/`));
    const isSandbox = ({ op, path }: DiskOperation): boolean => op === "mkdir" && !path.includes("/meta/");
    bench.disk.failing = (step) => isSandbox(step) || isFrameworkInfo(step);
    bench.run(bench.task("t1"), bench.framework(framework));
    expect(await bench.drain("t1")).to.have.length(1);
    expect(below()).to.deep.equal([]);
    bench.disk.failing = isSandbox;
    bench.run(bench.task("t2"), bench.framework(framework));
    expect(await bench.drain("t2")).to.have.length(1);
    expect(bench.disk.operations.filter(isFrameworkInfo)).to.have.length(1);
    expect(below().filter((path) => path.endsWith("executor.sentinel"))).to.have.length(1);
  });

  it("writes a framework down again when a change of it could not be", async () => {
    const bench = await AgentBench.registered();
    bench.run(bench.task("t1"), bench.framework(framework));
    await bench.settle();
    bench.disk.failing = isFrameworkInfo;
    const info = bench.framework({ ...framework, name: "renamed" });
    bench.master.say("UpdateFrameworkMessage", {
      framework_id: { value: FRAMEWORK_ID },
      framework_info: info,
      pid: "",
    });
    await bench.settle();
    bench.disk.failing = () => false;
    bench.run(bench.task("t2"), info);
    await bench.settle();
    expect(bench.disk.operations.filter(isFrameworkInfo)).to.have.length(2);
  });

  it("gives no task to an executor before it is written down, not even to one that subscribes again", async () => {
    const { bench, executor } = await withExecutor();
    const write = bench.disk.hold("/tasks/t2/");
    bench.run(bench.task("t2", { executor: bench.custom("e1") }), bench.framework(framework), false);
    await bench.settle();
    expect(executor.types).to.deep.equal(["SUBSCRIBED", "LAUNCH"]);
    const again = bench.subscribe("e1", { unacknowledged_tasks: [bench.task("t1")] });
    await bench.settle();
    expect(again.types).to.deep.equal(["SUBSCRIBED"]);
    write();
    await bench.settle();
    expect(again.types).to.deep.equal(["SUBSCRIBED", "LAUNCH"]);
    expect(again.events[1]!.launch!.task!.task_id!.value).to.equal("t2");
  });

  it("writes down and tells what it hears of a task in that order while another one is just being written down", async () => {
    const { bench } = await withExecutor();
    const write = bench.disk.hold("/tasks/t2/task.info");
    bench.run(bench.task("t2", { executor: bench.custom("e1") }), bench.framework(framework), false);
    await bench.settle();
    for (const [index, state] of [TaskState.TASK_RUNNING, TaskState.TASK_FINISHED].entries()) {
      const uuid = Buffer.alloc(16, index + 1);
      const status = { task_id: { value: "t1" }, state, source: 2, uuid, timestamp: 1 };
      void bench.agent.calls.call(executorCall("e1", { type: Call_Type.UPDATE, update: { status } }));
      await bench.settle();
    }
    write();
    expect((await bench.drain("t1")).map(line)).to.deep.equal(["TASK_RUNNING", "TASK_FINISHED"]);
    expect(updatesOf(bench, "t1")).to.deep.equal(["TASK_RUNNING", "TASK_FINISHED"]);
  });

  it("gives no group to an executor before it is written down, whatever else comes to it meanwhile", async () => {
    const { bench, executor } = await withExecutor();
    const write = bench.disk.hold("/tasks/t2/");
    const custom = bench.custom("e1")!;
    bench.master.say("RunTaskGroupMessage", {
      framework: bench.framework(framework),
      executor: { ...custom, framework_id: { value: FRAMEWORK_ID } },
      task_group: { tasks: [bench.task("t2"), bench.task("t3")] },
      resource_version_uuids: [],
      launch_executor: false,
    });
    bench.run(bench.task("t4", { executor: custom }), bench.framework(framework), false);
    await bench.settle();
    expect(executor.types).to.deep.equal(["SUBSCRIBED", "LAUNCH", "LAUNCH"]);
    write();
    await bench.settle();
    expect(executor.types).to.deep.equal(["SUBSCRIBED", "LAUNCH", "LAUNCH", "LAUNCH_GROUP"]);
  });

  it("ends tasks that it cannot write down for their executor, and writes nothing else of them", async () => {
    const { bench, executor } = await withExecutor();
    bench.disk.failing = ({ path }) => path.endsWith("/tasks/t2/task.info");
    bench.run(bench.task("t2", { executor: bench.custom("e1") }), bench.framework(framework), false);
    const [end] = await bench.drain("t2");
    expect(line(end!)).to.match(
      /^TASK_DROPPED REASON_CONTAINER_LAUNCH_FAILED: The agent could not write the task down: /,
    );
    expect(executor.types).to.deep.equal(["SUBSCRIBED", "LAUNCH"]);
    // An end without a task would be damage to the agent's next run.
    expect(recordsOf(bench, "t2")).to.deep.equal([]);
  });

  it("writes nothing of a task whose first record it could not write", async () => {
    const bench = await AgentBench.registered();
    bench.disk.failing = ({ path }) => path.endsWith("/tasks/t1/task.info");
    bench.run(bench.task("t1"), bench.framework(framework));
    await bench.drain("t1");
    expect(recordsOf(bench, "t1")).to.deep.equal([]);
  });

  it("writes no task down for an executor that it could not write down: its next run would find it in no run", async () => {
    const bench = await AgentBench.registered();
    let broken = true;
    bench.disk.failing = ({ path }) => broken && path.endsWith("/runs/latest");
    const launch = (id: string, first: boolean): void =>
      bench.run(bench.task(id, { executor: bench.custom("e1") }), bench.framework(framework), first);
    launch("t1", true);
    launch("t2", false);
    const apply = bench.disk.apply.bind(bench.disk);
    bench.disk.apply = (operations) => {
      broken = false;
      return apply(operations);
    };
    const ends = [...(await bench.drain("t1")), ...(await bench.drain("t2"))];
    expect(ends.map(({ state }) => state)).to.deep.equal([TaskState.TASK_DROPPED, TaskState.TASK_DROPPED]);
    expect([...recordsOf(bench, "t1"), ...recordsOf(bench, "t2")]).to.deep.equal([]);
  });

  it("writes nothing of a task that is killed while its first record is being written, and could not be", async () => {
    const bench = await AgentBench.registered();
    const apply = bench.disk.apply.bind(bench.disk);
    let fail: ((error: Error) => void) | undefined;
    bench.disk.apply = (operations) => {
      if (fail !== undefined || !operations.some(({ path }) => path.endsWith("/task.info")))
        return apply(operations);
      return new Promise((_, failed) => {
        fail = failed;
      });
    };
    bench.run(bench.task("t1", { executor: bench.custom("e1") }), bench.framework(framework), true);
    await bench.settle();
    bench.kill("t1");
    await bench.settle();
    expect(bench.updates).to.deep.equal([]);
    fail!(new Error("no space left"));
    const [end] = await bench.drain("t1");
    expect(line(end!)).to.equal(
      "TASK_KILLED REASON_TASK_KILLED_DURING_LAUNCH: Killed before delivery to the executor",
    );
    expect(recordsOf(bench, "t1")).to.deep.equal([]);
  });

  it("leaves an update that it could not write down with its executor until that is made up for when it is acknowledged", async () => {
    const { bench, executor } = await withExecutor();
    bench.disk.failing = ({ op }) => op === "append";
    const status = {
      task_id: { value: "t1" },
      state: TaskState.TASK_RUNNING,
      source: 2,
      uuid: Buffer.alloc(16, 1),
      timestamp: 1,
    };
    const update = executorCall("e1", { type: Call_Type.UPDATE, update: { status } });
    void bench.agent.calls.call(update);
    await bench.settle();
    void bench.agent.calls.call(update);
    await bench.settle();
    expect(bench.updates, "the scheduler is told").to.have.length(1);
    expect(executor.types).to.deep.equal(["SUBSCRIBED", "LAUNCH"]);
    bench.disk.failing = () => false;
    const write = bench.disk.hold();
    await bench.drain("t1");
    expect(executor.types, "the record is just being written").to.deep.equal(["SUBSCRIBED", "LAUNCH"]);
    write();
    await bench.settle();
    expect(executor.types.slice(2)).to.deep.equal(["ACKNOWLEDGED", "ACKNOWLEDGED"]);
    expect(recordsOf(bench, "t1")).to.include("task.updates");
  });

  for (const state of [TaskState.TASK_RUNNING, TaskState.TASK_FINISHED])
    it(`leaves it there also where its acknowledgement could not be written down either: ${TaskState[state]}`, async () => {
      const { bench, executor } = await withExecutor();
      bench.disk.failing = ({ path }) => path.endsWith("/task.updates");
      const status = { task_id: { value: "t1" }, state, source: 2, uuid: Buffer.alloc(16, 1), timestamp: 1 };
      const update = executorCall("e1", { type: Call_Type.UPDATE, update: { status } });
      void bench.agent.calls.call(update);
      expect((await bench.drain("t1")).map(line)).to.deep.equal([TaskState[state]]);
      void bench.agent.calls.call(update);
      await bench.settle();
      expect(executor.types).to.deep.equal(["SUBSCRIBED", "LAUNCH"]);
      bench.disk.failing = () => false;
      await bench.clock.advance(10_000);
      expect(executor.types).to.deep.equal(["SUBSCRIBED", "LAUNCH", "ACKNOWLEDGED", "ACKNOWLEDGED"]);
      expect(updatesOf(bench, "t1")).to.deep.equal([TaskState[state]]);
    });

  it("writes down what it was told and could not, when the disk is well again", async () => {
    const bench = await AgentBench.registered();
    bench.disk.failing = ({ op }) => op === "append";
    bench.run(bench.task("t1"), bench.framework(framework));
    await bench.drain("t1");
    bench.disk.failing = () => true;
    await bench.clock.advance(30_000);
    expect(recordsOf(bench, "t1")).not.to.include("task.updates");
    bench.disk.failing = () => false;
    bench.master.say("PingSlaveMessage", { connected: true });
    await bench.clock.advance(10_000);
    const written = bench.disk.operations.filter(({ path }) => path.endsWith("/t1/task.updates"));
    expect(written).to.have.length(1);
    const [one] = written;
    const records = one?.op === "write" ? splitDelimited(one.data).messages : [];
    const types = records.map((message) => StatusUpdateRecord.decode(Buffer.from(message)).type);
    expect(types, "two updates, each with its acknowledgement").to.deep.equal([0, 1, 0, 1]);
  });

  it("writes no update behind a later one", async () => {
    const bench = await AgentBench.registered();
    const capabilities = [{ type: Capability.TASK_KILLING_STATE }];
    bench.run(bench.task("t1"), bench.framework({ checkpoint: true, capabilities }));
    await bench.drain("t1");
    let appended = 0;
    bench.disk.failing = ({ op }) => op === "append" && appended++ === 0;
    bench.kill("t1");
    await bench.settle();
    bench.containerizer.of("t1").exit(0);
    await bench.settle();
    bench.acknowledge(bench.updates.at(-1)!);
    await bench.settle();
    expect(updatesOf(bench, "t1")).to.deep.equal([
      "TASK_STARTING",
      "TASK_RUNNING",
      "TASK_KILLING",
      "TASK_KILLED",
    ]);
  });

  it("writes down that an executor is over, when the disk is well again", async () => {
    const bench = await AgentBench.registered();
    bench.run(bench.task("t1"), bench.framework(framework));
    await bench.drain("t1");
    bench.disk.failing = () => true;
    bench.containerizer.of("t1").exit(0);
    const ends = await bench.drain("t1");
    expect(line(ends.at(-1)!)).to.equal("TASK_FINISHED: Command exited with status 0");
    const sentinels = () => bench.disk.paths("create").filter((path) => path.endsWith("executor.sentinel"));
    expect(sentinels()).to.deep.equal([]);
    bench.disk.failing = () => false;
    await bench.clock.advance(10_000);
    expect(sentinels()).to.have.length(1);
  });

  it("makes no file anew of what may be removed by then: its next run would find it in no run", async () => {
    const bench = await AgentBench.registered();
    bench.run(bench.task("t1"), bench.framework(framework));
    await bench.drain("t1");
    bench.disk.failing = () => true;
    bench.containerizer.of("t1").exit(0);
    await bench.drain("t1");
    bench.disk.failing = () => false;
    const before = bench.disk.operations.length;
    await bench.clock.advance(10_000);
    const made = bench.disk.operations
      .slice(before)
      .filter(({ op, path }) => ["write", "create"].includes(op) && path.includes("/executors/"))
      .map((step) => [step.path.split("/").at(-1), "unlessGone" in step && step.unlessGone]);
    expect(made).to.have.deep.members([
      ["task.updates", true],
      ["executor.sentinel", true],
    ]);
  });

  it("takes what came before an acknowledged update for acknowledged", async () => {
    const it = new Restarted();
    const { TASK_STARTING, TASK_RUNNING } = TaskState;
    const task = it.task("t1", [TASK_STARTING, TASK_RUNNING]);
    const acknowledged = new Set([uuidKey(task.updates[1]!.uuid)]);
    const bench = await it.recover(it.saved([it.command("t1", { ...task, acknowledged })]));
    await it.register();
    bench.containerizer.of("t1").exit(0);
    await bench.settle();
    expect(bench.updates.map(({ status }) => status!.state)).to.deep.equal([TaskState.TASK_FINISHED]);
  });
});
