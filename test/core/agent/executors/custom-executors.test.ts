import { expect } from "chai";
import { Call_Type } from "../../../../proto/gen/mesos/v1/executor/executor.js";
import { type FrameworkInfo, TaskState, type TaskStatus } from "../../../../proto/gen/mesos/v1/mesos.js";
import { AGENT_ID, AgentBench, executorCall, FRAMEWORK_ID, line } from "../support/agent-bench.js";

const status = (taskId: string, state: number, more: Partial<TaskStatus> = {}): TaskStatus => ({
  task_id: { value: taskId },
  state,
  source: 2,
  uuid: Buffer.from(`${taskId}-${state}`.padEnd(16, ".")),
  timestamp: 1,
  ...more,
});

const STARTING = 0;
const RUNNING = 1;
const FINISHED = 2;
const STAGING = 6;

/** A running executor `e1` with a task `t1`. */
async function running(more: Partial<FrameworkInfo> = {}) {
  const bench = await AgentBench.registered();
  bench.run(bench.task("t1", { executor: bench.custom("e1") }), bench.framework(more), true);
  await bench.settle();
  const executor = bench.subscribe("e1");
  await bench.settle();
  const update = (...args: Parameters<typeof status>) =>
    bench.agent.calls.call(
      executorCall("e1", { type: Call_Type.UPDATE, update: { status: status(...args) } }),
    );
  return { bench, executor, update };
}

describe("custom executors", () => {
  it("are launched with their own command and resources, and get their tasks when they subscribe", async () => {
    const { bench, executor } = await running();
    const { request } = bench.containerizer.of("e1");
    expect(request.command.value).to.equal("./executor");
    expect(request.task).to.equal(undefined);
    expect(request.environment.MESOS_EXECUTOR_ID).to.equal("e1");
    expect(executor.types).to.deep.equal(["SUBSCRIBED", "LAUNCH"]);
    const { subscribed } = executor.events[0]!;
    expect(subscribed!.executor_info!.executor_id!.value).to.equal("e1");
    expect(subscribed!.executor_info!.framework_id!.value).to.equal(FRAMEWORK_ID);
    expect(subscribed!.agent_info!.id!.value).to.equal(AGENT_ID);
    expect(subscribed!.container_id).to.deep.equal(request.containerId);
  });

  it("have their updates acknowledged when these are safe, and the scheduler gets them", async () => {
    const { bench, executor, update } = await running();
    void update("t1", RUNNING);
    void update("t1", FINISHED, { message: "done" });
    const statuses = await bench.drain("t1");
    expect(statuses.map(line)).to.deep.equal(["TASK_RUNNING", "TASK_FINISHED: done"]);
    expect(statuses[0]!.agent_id!.value).to.equal(AGENT_ID);
    expect(statuses[0]!.executor_id, "not added to what the executor said").to.equal(undefined);
    expect(executor.types.slice(2)).to.deep.equal(["ACKNOWLEDGED", "ACKNOWLEDGED"]);
  });

  it("may repeat what was not acknowledged, and the task does not go back", async () => {
    const { bench, update } = await running();
    void update("t1", STARTING);
    void update("t1", RUNNING);
    await bench.settle();
    const again = bench.subscribe("e1", {
      unacknowledged_updates: [{ status: status("t1", STARTING) }],
      unacknowledged_tasks: [bench.task("t1")],
    });
    await bench.settle();
    expect(again.types).to.deep.equal(["ACKNOWLEDGED", "SUBSCRIBED"]);
    expect(bench.agent.state.executor(FRAMEWORK_ID, "e1")!.task("t1")!.state).to.equal(RUNNING);
    expect((await bench.drain("t1")).map(line)).to.deep.equal(["TASK_STARTING", "TASK_RUNNING"]);
  });

  it("are not told that a repeated update is safe while it is still being written down", async () => {
    const { bench, update } = await running({ checkpoint: true });
    const written = bench.disk.hold("/task.updates");
    void update("t1", RUNNING);
    await bench.settle();
    const again = bench.subscribe("e1", {
      unacknowledged_updates: [{ status: status("t1", RUNNING) }],
      unacknowledged_tasks: [bench.task("t1")],
    });
    await bench.settle();
    expect(again.types).to.deep.equal(["SUBSCRIBED"]);
    written();
    await bench.settle();
    expect(again.types.filter((type) => type === "ACKNOWLEDGED")).not.to.have.length(0);
    expect((await bench.drain("t1")).map(line)).to.deep.equal(["TASK_RUNNING"]);
  });

  for (const state of [RUNNING, FINISHED])
    it(`are not told so either where the update waited to be written when it was repeated: ${TaskState[state]}`, async () => {
      const { bench, executor, update } = await running({ checkpoint: true });
      const record = bench.disk.hold("/tasks/t2/");
      const t2 = bench.task("t2", { executor: bench.custom("e1") });
      bench.run(t2, bench.framework({ checkpoint: true }), false);
      await bench.settle();
      void update("t1", state);
      void update("t1", state);
      await bench.settle();
      const written = bench.disk.hold("/tasks/t1/");
      record();
      await bench.settle();
      const acknowledged = () => executor.types.filter((type) => type === "ACKNOWLEDGED");
      expect(acknowledged()).to.deep.equal([]);
      written();
      await bench.settle();
      expect(acknowledged()).to.have.length(2);
    });

  it("that repeat updates of a task whose end is acknowledged are told that these are safe, and nobody else is told", async () => {
    const { bench, executor, update } = await running();
    void update("t1", RUNNING);
    void update("t1", FINISHED);
    await bench.drain("t1");
    const before = bench.updates.length;
    void update("t1", RUNNING);
    void update("t1", RUNNING, { uuid: Buffer.from("never told before").subarray(0, 16) });
    await bench.settle();
    expect(bench.updates).to.have.length(before);
    expect(executor.types.slice(2)).to.deep.equal(Array(4).fill("ACKNOWLEDGED"));
  });

  it("report in vain for a framework that is being ended, which is counted", async () => {
    const { bench, update } = await running();
    bench.master.say("ShutdownFrameworkMessage", { framework_id: { value: FRAMEWORK_ID } });
    void update("t1", RUNNING);
    await bench.settle();
    expect(bench.updates).to.deep.equal([]);
    expect(bench.metrics.snapshot().get("slave/invalid_status_updates")).to.equal(1);
  });

  it("run many tasks, in a container that grows and shrinks with them", async () => {
    const { bench, executor, update } = await running();
    bench.run(bench.task("t2", { executor: bench.custom("e1") }), bench.framework(), false);
    await bench.settle();
    expect(executor.types).to.deep.equal(["SUBSCRIBED", "LAUNCH", "LAUNCH"]);
    expect(bench.containerizer.launched).to.have.length(1);
    void update("t1", FINISHED);
    await bench.settle();
    expect(bench.containerizer.of("e1").sizes.map(({ cpus }) => cpus)).to.deep.equal([1.1, 2.1, 1.1]);
  });

  it("get kills with their policy, and messages", async () => {
    const { bench, executor } = await running();
    bench.kill("t1", 7);
    bench.master.say(
      "FrameworkToExecutorMessage",
      {
        slave_id: { value: AGENT_ID },
        framework_id: { value: FRAMEWORK_ID },
        executor_id: { value: "e1" },
        data: Buffer.from("hello"),
      },
      "scheduler-1@10.0.0.3:9999",
    );
    expect(executor.types.slice(2)).to.deep.equal(["KILL", "MESSAGE"]);
    expect(executor.events[2]!.kill!.kill_policy!.grace_period!.nanoseconds).to.equal(7_000_000_000n);
    expect(executor.events[3]!.message!.data!.toString()).to.equal("hello");
  });

  it("reach a scheduler through the master, or directly where it has an address", async () => {
    const { bench } = await running();
    const say = (text: string) =>
      bench.agent.calls.call(
        executorCall("e1", { type: Call_Type.MESSAGE, message: { data: Buffer.from(text) } }),
      );
    void say("one");
    bench.master.say("UpdateFrameworkMessage", {
      framework_id: { value: FRAMEWORK_ID },
      pid: "scheduler-1@10.0.0.3:9999",
    });
    void say("two");
    const heard = (to: string) =>
      bench.master.heard("ExecutorToFrameworkMessage", to).map(({ data }) => String(data));
    expect(heard("master@10.0.0.1:5050")).to.deep.equal(["one"]);
    expect(heard("scheduler-1@10.0.0.3:9999")).to.deep.equal(["two"]);
  });

  it("reach a scheduler without an address, which masters write as `@0.0.0.0:0`, through the master", async () => {
    const { bench } = await running();
    bench.master.say("UpdateFrameworkMessage", { framework_id: { value: FRAMEWORK_ID }, pid: "@0.0.0.0:0" });
    void bench.agent.calls.call(
      executorCall("e1", { type: Call_Type.MESSAGE, message: { data: Buffer.from("one") } }),
    );
    const heard = bench.master.heard("ExecutorToFrameworkMessage", "master@10.0.0.1:5050");
    expect(heard.map(({ data }) => String(data))).to.deep.equal(["one"]);
  });

  it("that subscribe before their container is made get it all the same", async () => {
    const bench = await AgentBench.registered();
    const write = bench.disk.hold("/executors/e1/");
    bench.run(bench.task("t1", { executor: bench.custom("e1") }), bench.framework(), true);
    await bench.settle();
    const executor = bench.subscribe("e1");
    await bench.settle();
    expect(bench.containerizer.launched).to.have.length(0);
    write();
    await bench.settle();
    expect(bench.containerizer.launched).to.have.length(1);
    expect(executor.types).to.deep.equal(["SUBSCRIBED", "LAUNCH"]);
    await bench.clock.advance(3600_000);
    expect(bench.agent.state.executor(FRAMEWORK_ID, "e1")?.state).to.equal("running");
  });

  it("that do not subscribe in time are ended, and their tasks fail for that reason", async () => {
    const bench = await AgentBench.registered();
    bench.run(bench.task("t1", { executor: bench.custom("e1") }));
    await bench.settle();
    bench.master.say("PingSlaveMessage", { connected: true });
    await bench.clock.advance(60_000);
    expect(bench.containerizer.of("e1").destroyed).to.equal(true);
    expect((await bench.drain("t1")).map(line)).to.deep.equal([
      "TASK_FAILED REASON_EXECUTOR_REGISTRATION_TIMEOUT: Executor did not register within 1mins",
    ]);
  });

  it("that end take their tasks along, and the master hears of it", async () => {
    const { bench, update } = await running();
    void update("t1", RUNNING);
    bench.containerizer.of("e1").exit(1);
    expect((await bench.drain("t1")).map(line)).to.deep.equal([
      "TASK_RUNNING",
      "TASK_FAILED REASON_EXECUTOR_TERMINATED: Executor terminated",
    ]);
    expect(bench.master.heard("ExitedExecutorMessage")).to.deep.equal([
      {
        slave_id: { value: AGENT_ID },
        framework_id: { value: FRAMEWORK_ID },
        executor_id: { value: "e1" },
        status: 256,
      },
    ]);
    expect(bench.agent.state.frameworks.size).to.equal(0);
  });

  it("are shut down with a grace period: asked first, then ended", async () => {
    const { bench, executor } = await running();
    bench.master.say("ShutdownExecutorMessage", {
      framework_id: { value: FRAMEWORK_ID },
      executor_id: { value: "e1" },
    });
    expect(executor.types.at(-1)).to.equal("SHUTDOWN");
    await bench.clock.advance(4999);
    expect(bench.containerizer.of("e1").destroyed).to.equal(false);
    await bench.clock.advance(1);
    expect(bench.containerizer.of("e1").destroyed).to.equal(true);
  });

  it("that come after all their tasks were killed are shut down", async () => {
    const bench = await AgentBench.registered();
    bench.run(bench.task("t1", { executor: bench.custom("e1") }));
    await bench.settle();
    bench.kill("t1");
    const executor = bench.subscribe("e1");
    expect(executor.types).to.deep.equal(["SHUTDOWN"]);
    expect((await bench.drain("t1")).map(line)).to.deep.equal([
      "TASK_KILLED REASON_TASK_KILLED_DURING_LAUNCH: Killed before delivery to the executor",
    ]);
  });

  it("whose container cannot grow are ended, with the reason", async () => {
    const { bench } = await running();
    bench.containerizer.updateFailure = new Error("no room");
    bench.run(bench.task("t2", { executor: bench.custom("e1") }), bench.framework(), false);
    expect(line((await bench.drain("t2"))[0]!)).to.equal(
      "TASK_LOST REASON_CONTAINER_UPDATE_FAILED: Failed to update resources for container: no room",
    );
  });

  it("are told apart from what the master expects", async () => {
    const { bench } = await running();
    bench.run(bench.task("t2", { executor: bench.custom("e2") }), bench.framework(), false);
    expect(line((await bench.drain("t2"))[0]!)).to.equal(
      "TASK_LOST REASON_EXECUTOR_TERMINATED: No executor is expected to launch and there is none running",
    );
    bench.run(bench.task("t3", { executor: bench.custom("e1") }), bench.framework(), true);
    expect(line((await bench.drain("t3"))[0]!)).to.match(
      /Master wants to launch executor, but one already exists/,
    );
  });

  it("keep their container when the connection breaks, and come back to it", async () => {
    const { bench, executor } = await running();
    executor.session!.disconnected();
    const again = bench.subscribe("e1", { unacknowledged_tasks: [bench.task("t1")] });
    expect(executor.closed).to.equal(false);
    expect(again.types).to.deep.equal(["SUBSCRIBED"]);
  });

  it("are told when they come back of tasks to run and to kill that came up meanwhile", async () => {
    const { bench, executor } = await running();
    executor.session!.disconnected();
    bench.kill("t1");
    bench.run(bench.task("t2", { executor: bench.custom("e1") }), bench.framework(), false);
    await bench.settle();
    const again = bench.subscribe("e1", { unacknowledged_tasks: [bench.task("t1")] });
    await bench.settle();
    expect(bench.updates).to.deep.equal([]);
    expect(again.types).to.deep.equal(["SUBSCRIBED", "KILL", "LAUNCH"]);
    expect(again.events[1]!.kill!.task_id!.value).to.equal("t1");
    expect(again.events[2]!.launch!.task!.task_id!.value).to.equal("t2");
  });

  it("that come back without a task that was sent to them lose it", async () => {
    const { bench } = await running();
    bench.subscribe("e1");
    expect((await bench.drain("t1")).map(line)).to.deep.equal([
      "TASK_LOST REASON_AGENT_RESTARTED: Task launched during agent restart",
    ]);
  });

  it("hear from the agent every half hour", async () => {
    const { bench, executor } = await running();
    await bench.clock.advance(1_800_000);
    expect(executor.types.at(-1)).to.equal("HEARTBEAT");
  });

  describe("calls", () => {
    const refusal = (run: () => unknown): string => {
      try {
        run();
        return "accepted";
      } catch (error) {
        const { http, detail, message } = error as { http: number; detail?: string; message: string };
        return `${http} ${detail ?? message}`;
      }
    };

    it("are checked in Mesos's words", async () => {
      const { bench } = await running();
      const problem = (call: Parameters<typeof executorCall>[1]) =>
        refusal(() => bench.agent.calls.validate(executorCall("e1", call)));
      const update = (more: Partial<TaskStatus>) => ({
        type: 2,
        update: { status: { ...status("t1", RUNNING), ...more } },
      });
      expect(problem({})).to.equal("400 Failed to validate Executor::Call: Expecting 'type' to be present");
      expect(problem({ type: 1 })).to.match(/^400 .*Expecting 'subscribe' to be present$/);
      expect(problem({ type: 2 })).to.match(/^400 .*Expecting 'update' to be present$/);
      expect(problem({ type: 3 })).to.match(/^400 .*Expecting 'message' to be present$/);
      expect(problem(update({ uuid: undefined }))).to.match(/^400 .*Expecting 'uuid' to be present$/);
      expect(problem(update({ uuid: Buffer.from("x") }))).to.match(/^400 .*UUID/);
      expect(problem(update({ source: 0 }))).to.match(
        /^400 .*with invalid source, expecting 'SOURCE_EXECUTOR'$/,
      );
      expect(problem(update({ state: STAGING }))).to.match(
        /^400 .*Received TASK_STAGING .* which is not allowed$/,
      );
      expect(problem(update({ executor_id: { value: "e2" } }))).to.match(
        /ExecutorID in Call: e1 does not match ExecutorID in TaskStatus: e2$/,
      );
      expect(problem(update({}))).to.equal("accepted");
    });

    it("of strangers are refused", async () => {
      const { bench } = await running();
      const call = { ...executorCall("e1", { type: 3, message: { data: Buffer.from("") } }) };
      const make = (more: object) => refusal(() => bench.agent.calls.call({ ...call, ...more }));
      expect(make({ framework_id: { value: "x" } })).to.equal("400 Framework cannot be found");
      expect(make({ executor_id: { value: "x" } })).to.equal("400 Executor cannot be found");
      expect(make({ type: 0 })).to.match(/^501/);
    });

    it("before the subscription are refused", async () => {
      const bench = await AgentBench.registered();
      bench.run(bench.task("t1", { executor: bench.custom("e1") }));
      await bench.settle();
      const call = executorCall("e1", { type: 3, message: { data: Buffer.from("") } });
      expect(refusal(() => bench.agent.calls.call(call))).to.equal("403 Executor is not subscribed");
    });

    it("on behalf of a command task are refused", async () => {
      const bench = await AgentBench.registered();
      bench.run(bench.task("t1"));
      await bench.settle();
      expect(refusal(() => bench.subscribe("t1"))).to.equal("400 Executor cannot be found");
    });
  });
});
