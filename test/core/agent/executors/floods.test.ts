import { expect } from "chai";
import { EXECUTOR_MESSAGES, EXECUTOR_UPDATES } from "../../../../core/agent/constants.js";
import { splitDelimited } from "../../../../core/agent/updates/update-record.js";
import { REMEMBERED_UPDATES } from "../../../../core/agent/updates/update-stream.js";
import { StatusUpdateMessage, StatusUpdateRecord } from "../../../../proto/gen/mesos/internal/messages.js";
import { Call_Type } from "../../../../proto/gen/mesos/v1/executor/executor.js";
import type { FrameworkInfo } from "../../../../proto/gen/mesos/v1/mesos.js";
import { isTepuiError } from "../../../../sdk/errors/index.js";
import { MAX_TASK_STATUSES } from "../../../../sdk/task-states.js";
import { AgentBench, executorCall, FRAMEWORK_ID } from "../support/agent-bench.js";

const STARTING = 0;
const RUNNING = 1;
const FINISHED = 2;
const FLOOD = 10_000;
const DATA = Buffer.alloc(2000);
const DRIVER = "executor(1)@10.0.0.2:40001";

/** Executors that are registered and have a task each, `t-NAME`. */
async function running(names: readonly string[], more: Partial<FrameworkInfo> = {}) {
  const bench = await AgentBench.registered();
  for (const name of names)
    bench.run(bench.task(`t-${name}`, { executor: bench.custom(name) }), bench.framework(more), true);
  await bench.settle();
  for (const name of names) bench.subscribe(name);
  await bench.settle();
  return bench;
}

let uuids = 0;
const nextUuid = (): Buffer => Buffer.from(String(uuids++).padStart(16, "0"));

/** What becomes of an update: it is taken, waits, or is refused. */
function report(bench: AgentBench, executor: string, state: number, data?: Buffer): Promise<void> | string {
  const status = { task_id: { value: `t-${executor}` }, state, source: 2, uuid: nextUuid(), data };
  const call = executorCall(executor, { type: Call_Type.UPDATE, update: { status } });
  try {
    return bench.agent.calls.call(call) ?? "taken";
  } catch (error) {
    if (isTepuiError(error)) return error.code;
    throw error;
  }
}

/** Bytes of the updates that were written down for a task, as the file has them in the end. */
function file(bench: AgentBench, taskId: string): Buffer {
  let parts: Uint8Array[] = [];
  for (const one of bench.disk.operations) {
    if (!("data" in one) || !one.path.endsWith(`${taskId}/task.updates`)) continue;
    if (one.op !== "append") parts = [];
    parts.push(one.data);
  }
  return Buffer.concat(parts);
}

describe("an executor that floods", () => {
  it("with updates is made to wait for its scheduler, and refused where it does not wait", async () => {
    const bench = await running(["e1", "e2"], { checkpoint: true });
    const answers = Array.from({ length: FLOOD }, (_, i) => report(bench, "e1", i % 2, DATA));
    await bench.settle();
    const taken = answers.filter((answer) => answer === "taken").length;
    const waiting = answers.filter((answer) => typeof answer !== "string").length;
    expect(taken).to.be.within(1000, FLOOD / 3);
    expect(waiting).to.be.within(1000, FLOOD / 3);
    expect(new Set(answers.slice(taken + waiting))).to.deep.equal(new Set(["TEPUI_EXECUTOR_BUSY"]));
    expect(file(bench, "t-e1").length).to.be.lessThan(EXECUTOR_UPDATES.underWay);
    expect(report(bench, "e2", FINISHED), "the others go on").to.equal("taken");
    await bench.settle();
    expect(bench.updates.at(-1)!.status!.task_id!.value).to.equal("t-e2");
  });

  it("with updates gets them through one after the other, in its order, as they are acknowledged", async () => {
    const bench = await running(["e1"]);
    const large = Buffer.alloc(1024 * 1024);
    const answers = Array.from({ length: 12 }, () => report(bench, "e1", RUNNING, large));
    expect(answers.filter((answer) => answer === "taken")).to.have.length(7);
    let entered = 0;
    for (const answer of answers) if (typeof answer !== "string") void answer.then(() => entered++);
    const sent = await bench.drain("t-e1");
    expect(sent.map(({ uuid }) => uuid!.toString())).to.deep.equal(
      Array.from({ length: 12 }, (_, i) => String(uuids - 12 + i).padStart(16, "0")),
    );
    expect(entered).to.equal(5);
  });

  it("and ends leaves nothing that waits", async () => {
    const bench = await running(["e1"]);
    const answers = Array.from({ length: FLOOD }, (_, i) => report(bench, "e1", i % 2, DATA));
    let entered = 0;
    const waiting = answers.filter((answer) => typeof answer !== "string");
    for (const answer of waiting) void answer.then(() => entered++);
    bench.master.say("ShutdownFrameworkMessage", { framework_id: { value: FRAMEWORK_ID } });
    bench.containerizer.of("e1").exit(0);
    await bench.settle();
    expect(waiting.length).to.be.greaterThan(1000);
    expect(entered).to.equal(waiting.length);
  });

  it("with acknowledged updates does not fill the disk or the memory of its task", async () => {
    const bench = await running(["e1"], { checkpoint: true });
    const count = 2500;
    for (let i = 0; i < count; i++) {
      void report(bench, "e1", i % 2, DATA);
      await bench.settle();
      bench.acknowledge(bench.updates.at(-1)!);
      bench.master.sent.length = 0;
    }
    await bench.settle();
    void report(bench, "e1", FINISHED);
    await bench.settle();
    const { messages, rest } = splitDelimited(file(bench, "t-e1"));
    expect(rest).to.equal(0);
    expect(file(bench, "t-e1").length).to.be.lessThan(2 * 1024 * 1024);
    const records = messages.map((message) => StatusUpdateRecord.decode(message));
    const told = records.flatMap(({ update }) => (update === undefined ? [] : [update]));
    expect(told[0]!.status!.state, "since when it was in that state is still known").to.equal(STARTING);
    expect(told.at(-1)!.status!.state).to.equal(FINISHED);
    const acknowledged = new Set(records.map(({ uuid }) => uuid?.toString()));
    expect(told.filter(({ uuid }) => !acknowledged.has(uuid!.toString()))).to.have.length(1);
    const task = bench.agent.state.executor(FRAMEWORK_ID, "e1")!.task("t-e1")!;
    expect(task.statuses).to.have.length(MAX_TASK_STATUSES);
    expect(task.statuses.at(-1)!.state).to.equal(FINISHED);
  });

  it("with repetitions of what was acknowledged tells its scheduler nothing new", async () => {
    const bench = await running(["e1"]);
    for (let i = 0; i < REMEMBERED_UPDATES; i++) {
      void report(bench, "e1", RUNNING);
      await bench.settle();
      bench.acknowledge(bench.updates.at(-1)!);
      bench.master.sent.length = 0;
    }
    uuids -= REMEMBERED_UPDATES;
    for (let i = 0; i < REMEMBERED_UPDATES; i++) void report(bench, "e1", RUNNING);
    await bench.settle();
    expect(bench.updates).to.deep.equal([]);
    void report(bench, "e1", RUNNING);
    await bench.settle();
    expect(bench.updates).to.have.length(1);
  });

  it("with messages is made to wait while the way to its scheduler is blocked", async () => {
    const bench = await running(["e1"]);
    let free = (): void => undefined;
    const blocked = new Promise<void>((resolve) => (free = resolve));
    let isBlocked = true;
    bench.master.room = () => (isBlocked ? blocked : undefined);
    const data = Buffer.alloc(1000);
    const call = executorCall("e1", { type: Call_Type.MESSAGE, message: { data } });
    const answers: (Promise<void> | undefined)[] = [];
    let refused = 0;
    for (let i = 0; i < 20_000; i++) {
      try {
        answers.push(bench.agent.calls.call(call));
      } catch (error) {
        if (!isTepuiError(error) || error.code !== "TEPUI_EXECUTOR_BUSY") throw error;
        refused++;
      }
    }
    const sent = (): number => bench.master.heard("ExecutorToFrameworkMessage").length;
    expect(refused).to.be.greaterThan(1000);
    expect(sent() * data.length).to.be.within(1, EXECUTOR_MESSAGES.underWay);
    isBlocked = false;
    free();
    await Promise.all(answers);
    expect(sent()).to.equal(answers.length);
  });

  it("over libprocess is not heard until there is room, and what is sent all the same is dropped", async () => {
    const bench = await AgentBench.registered();
    bench.run(bench.task("t-e1", { executor: bench.custom("e1") }), bench.framework(), true);
    await bench.settle();
    const ids = { framework_id: { value: FRAMEWORK_ID }, executor_id: { value: "e1" } };
    bench.master.say("RegisterExecutorMessage", ids, DRIVER);
    await bench.settle();
    const agent_id = { value: bench.agent.state.id };
    const status = { task_id: { value: "t-e1" }, state: RUNNING, agent_id, data: DATA };
    const say = () => {
      const update = { ...ids, slave_id: agent_id, status, timestamp: 1, uuid: nextUuid() };
      const body = StatusUpdateMessage.encode({ update, pid: DRIVER }).finish();
      return bench.master.offer({ from: DRIVER, name: "mesos.internal.StatusUpdateMessage", body });
    };
    const answers = Array.from({ length: FLOOD }, say);
    const pauses = answers.filter((answer) => answer !== undefined);
    expect(pauses.length).to.be.within(1000, FLOOD / 2);
    expect(answers.at(-1), "beyond that nobody listens").to.equal(undefined);
    const complaints = bench.logger.messages().filter((text) => /does not wait/.test(text));
    expect(complaints).to.have.length(1);
    bench.master.say("ShutdownFrameworkMessage", { framework_id: { value: FRAMEWORK_ID } });
    bench.containerizer.of("e1").exit(0);
    await Promise.all(pauses);
  });
});

describe("strangers that say to be executors", () => {
  const register = (bench: AgentBench, from: string): void =>
    bench.master.say(
      "RegisterExecutorMessage",
      { framework_id: { value: FRAMEWORK_ID }, executor_id: { value: "none" } },
      from,
    );
  const told = (bench: AgentBench): number =>
    bench.logger.messages().filter((text) => /telling an executor to end/.test(text)).length;

  it("are written of once", async () => {
    const bench = await AgentBench.registered();
    for (let i = 0; i < 1000; i++) register(bench, DRIVER);
    expect(told(bench)).to.equal(1);
  });

  it("are written of within bounds, whatever address they give", async () => {
    const bench = await AgentBench.registered();
    for (let i = 0; i < 10_000; i++) register(bench, `executor(${i})@10.0.0.2:4`);
    expect(told(bench)).to.be.within(1, 100);
    await bench.clock.advance(60_000);
    register(bench, "executor(1)@10.0.0.3:5");
    const last = bench.logger.lines.findLast(({ message }) => /telling an executor to end/.test(message));
    expect(last!.fields.omitted).to.equal(10_000 - 60);
  });
});
