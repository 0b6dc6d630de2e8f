import { expect } from "chai";
import type { DiskOperation } from "../../../core/agent/disk/operations.js";
import { Call_Type } from "../../../proto/gen/mesos/v1/executor/executor.js";
import { FrameworkInfo_Capability_Type as Capability, TaskState } from "../../../proto/gen/mesos/v1/mesos.js";
import { AgentBench, executorCall, FRAMEWORK_ID, line } from "./support/agent-bench.js";

const framework = { checkpoint: true, capabilities: [{ type: Capability.PARTITION_AWARE }] };

/** What is written of a task, by the ends of the paths. */
const recordsOf = (bench: AgentBench, taskId: string): string[] =>
  bench.disk.operations.flatMap(({ path }) => path.split(`/tasks/${taskId}/`).slice(1));

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
    expect([end!.state, bench.containerizer.launched.length]).to.deep.equal([TaskState.TASK_FAILED, 0]);
    bench.disk.failing = () => false;
    bench.run(bench.task("t2"), bench.framework(framework));
    await bench.settle();
    expect(bench.containerizer.launched).to.have.length(1);
    expect(bench.disk.operations.filter(isFrameworkInfo)).to.have.length(1);
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
    let write = (): void => undefined;
    const apply = bench.disk.apply.bind(bench.disk);
    bench.disk.apply = async (operations) => {
      if (operations.some(({ path }) => path.includes("/tasks/t2/")))
        await new Promise<void>((resolve) => (write = resolve));
      return apply(operations);
    };
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

  it("leaves an update that it could not write down with its executor until it is acknowledged", async () => {
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
    await bench.drain("t1");
    expect(executor.types.slice(2)).to.deep.equal(["ACKNOWLEDGED", "ACKNOWLEDGED"]);
    expect(recordsOf(bench, "t1")).to.include("task.updates");
  });
});
