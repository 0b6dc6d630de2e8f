import { expect } from "chai";
import { splitDelimited } from "../../../../core/agent/updates/update-record.js";
import { StatusUpdateRecord } from "../../../../proto/gen/mesos/internal/messages.js";
import { AGENT_ID, AgentBench, FRAMEWORK_ID, line } from "../support/agent-bench.js";

const checkpointing = { checkpoint: true };

describe("status updates", () => {
  it("are sent one at a time, each after the previous one is acknowledged", async () => {
    const bench = await AgentBench.registered();
    bench.run(bench.task("t1"));
    await bench.settle();
    bench.containerizer.of("t1").exit(0);
    await bench.settle();
    expect(bench.updates).to.have.length(1);
    bench.acknowledge(bench.updates[0]!);
    await bench.settle();
    expect(bench.updates.map(({ status }) => line(status!))).to.deep.equal(["TASK_STARTING", "TASK_RUNNING"]);
  });

  it("carry the latest state, so that the master knows what is still queued", async () => {
    const bench = await AgentBench.registered();
    bench.run(bench.task("t1"));
    await bench.settle();
    bench.containerizer.of("t1").exit(0);
    await bench.settle();
    bench.acknowledge(bench.updates[0]!);
    await bench.settle();
    // RUNNING is in flight, FINISHED is known.
    expect([bench.updates[1]!.status!.state, bench.updates[1]!.latest_state]).to.deep.equal([1, 2]);
  });

  it("are sent again after 10 s, then after twice as long each time, up to 10 min", async () => {
    const bench = await AgentBench.registered();
    bench.run(bench.task("t1"));
    await bench.settle();
    const counts: number[] = [];
    for (const wait of [9_999, 1, 19_999, 1, 39_999, 1]) {
      bench.master.say("PingSlaveMessage", { connected: true });
      await bench.clock.advance(wait);
      counts.push(bench.updates.length);
    }
    expect(counts).to.deep.equal([1, 2, 2, 3, 3, 4]);
    expect(new Set(bench.updates.map(({ uuid }) => uuid!.toString("hex"))).size).to.equal(1);
  });

  it("ignore unexpected acknowledgements", async () => {
    const bench = await AgentBench.registered();
    bench.run(bench.task("t1"));
    await bench.settle();
    const [first] = bench.updates;
    bench.acknowledge({ ...first!, uuid: Buffer.alloc(16) });
    bench.acknowledge(first!);
    bench.acknowledge(first!);
    await bench.settle();
    expect(bench.updates.map(({ status }) => line(status!))).to.deep.equal(["TASK_STARTING", "TASK_RUNNING"]);
  });

  it("wait while there is no master, and are sent when the agent has re-registered", async () => {
    const bench = await AgentBench.registered();
    bench.run(bench.task("t1"));
    await bench.settle();
    bench.master.lead(undefined);
    bench.containerizer.of("t1").exit(0);
    await bench.clock.advance(60_000);
    expect(bench.updates).to.have.length(1);
    bench.master.lead();
    await bench.clock.advance(1000);
    bench.master.say("SlaveReregisteredMessage", { slave_id: { value: AGENT_ID }, reconciliations: [] });
    expect((await bench.drain("t1")).map(line)).to.deep.equal([
      "TASK_STARTING",
      "TASK_RUNNING",
      "TASK_FINISHED: Command exited with status 0",
    ]);
  });

  it("are written down before they are sent, for frameworks that checkpoint", async () => {
    const bench = await AgentBench.registered();
    const written = bench.disk.hold("/task.updates");
    bench.run(bench.task("t1"), bench.framework(checkpointing));
    await bench.settle();
    expect(bench.updates).to.have.length(0);
    written();
    await bench.settle();
    expect(bench.updates).to.have.length(1);
  });

  it("continue only when the previous acknowledgement is written, so that none is resent after a later one", async () => {
    const bench = await AgentBench.registered();
    bench.run(bench.task("t1"), bench.framework(checkpointing));
    await bench.settle();
    const written = bench.disk.hold();
    bench.acknowledge(bench.updates[0]!);
    await bench.settle();
    expect(bench.updates.map(({ status }) => line(status!))).to.deep.equal(["TASK_STARTING"]);
    written();
    await bench.settle();
    expect(bench.updates.map(({ status }) => line(status!))).to.deep.equal(["TASK_STARTING", "TASK_RUNNING"]);
  });

  it("are written as Mesos's records: updates and acknowledgements, each with its length", async () => {
    const bench = await AgentBench.registered();
    bench.run(bench.task("t1"), bench.framework(checkpointing));
    await bench.settle();
    bench.containerizer.of("t1").exit(0);
    const statuses = await bench.drain("t1");
    const run = bench.containerizer.of("t1").request.containerId.value;
    const path = `/srv/meta/slaves/${AGENT_ID}/frameworks/${FRAMEWORK_ID}/executors/t1/runs/${run}/tasks/t1/task.updates`;
    const appended = bench.disk.operations.flatMap((one) =>
      one.op === "append" && one.path === path ? [one.data] : [],
    );
    const { messages, rest } = splitDelimited(Buffer.concat(appended));
    const records = messages.map((bytes) => StatusUpdateRecord.decode(bytes));
    expect(rest).to.equal(0);
    expect(records.filter(({ type }) => type === 0).map(({ update }) => update!.status!.state)).to.deep.equal(
      [0, 1, 2],
    );
    expect(records.filter(({ type }) => type === 1).map(({ uuid }) => uuid)).to.deep.equal(
      statuses.map(({ uuid }) => uuid),
    );
  });

  it("are not written for other frameworks", async () => {
    const bench = await AgentBench.registered();
    bench.run(bench.task("t1"));
    await bench.settle();
    await bench.drain("t1");
    expect(bench.disk.operations.filter(({ op }) => op === "append")).to.deep.equal([]);
    expect(
      bench.disk.operations.filter(({ path }) => path.includes(`meta/slaves/${AGENT_ID}/frameworks`)),
    ).to.deep.equal([]);
  });

  it("are sent even when they cannot be written", async () => {
    const bench = await AgentBench.registered();
    bench.disk.failing = ({ op }) => op === "append";
    bench.run(bench.task("t1"), bench.framework(checkpointing));
    expect((await bench.drain("t1")).map(line)).to.deep.equal(["TASK_STARTING", "TASK_RUNNING"]);
  });

  it("stop reading at records that were cut off", () => {
    const { messages, rest } = splitDelimited(Buffer.from([2, 0, 0, 0, 7, 8, 5, 0, 0, 0, 1]));
    expect(messages.map((bytes) => [...bytes])).to.deep.equal([[7, 8]]);
    expect(rest).to.equal(5);
  });

  it("are never resent less often than every 10 min", async () => {
    const bench = await AgentBench.registered();
    bench.run(bench.task("t1"));
    await bench.settle();
    const times: number[] = [];
    const end = bench.clock.now() + 3 * 3_600_000;
    for (let count = 1; bench.clock.now() < end; ) {
      bench.master.say("PingSlaveMessage", { connected: true });
      await bench.clock.advance(10_000);
      if (bench.updates.length > count) times.push(bench.clock.now());
      count = bench.updates.length;
    }
    const waits = times.slice(1).map((time, i) => (time - times[i]!) / 1000);
    expect(waits.slice(0, 8)).to.deep.equal([20, 40, 80, 160, 320, 600, 600, 600]);
  });

  it("ignore acknowledgements of updates not sent yet, or acknowledged before", async () => {
    const bench = await AgentBench.registered();
    bench.run(bench.task("t1"), bench.framework(checkpointing));
    await bench.settle();
    bench.containerizer.of("t1").exit(0);
    await bench.settle();
    const recorded = bench.disk.operations.flatMap((one) =>
      one.op === "append" ? [StatusUpdateRecord.decode(splitDelimited(one.data).messages[0]!).update!] : [],
    );
    const [starting, running, finished] = recorded;
    bench.acknowledge(finished!);
    bench.acknowledge(running!);
    await bench.settle();
    expect(bench.updates).to.have.length(1);
    bench.acknowledge(starting!);
    await bench.settle();
    bench.acknowledge(starting!);
    await bench.settle();
    expect(bench.updates.map(({ status }) => line(status!))).to.deep.equal(["TASK_STARTING", "TASK_RUNNING"]);
    expect((await bench.drain("t1")).map(line).at(-1)).to.equal(
      "TASK_FINISHED: Command exited with status 0",
    );
  });

  it("ignore acknowledgements for unknown frameworks and tasks", async () => {
    const bench = await AgentBench.registered();
    bench.run(bench.task("t1"));
    await bench.settle();
    const [first] = bench.updates;
    bench.acknowledge({ ...first!, framework_id: { value: "other" } });
    bench.acknowledge({ ...first!, status: { ...first!.status!, task_id: { value: "other" } } });
    await bench.settle();
    expect(bench.updates).to.have.length(1);
    await bench.clock.advance(10_000);
    expect(bench.updates, "it is still waited for").to.have.length(2);
  });

  it("are written together with their acknowledgement if they could not be before", async () => {
    const bench = await AgentBench.registered();
    let full = true;
    bench.disk.failing = ({ op }) => op === "append" && full;
    bench.run(bench.task("t1"), bench.framework(checkpointing));
    await bench.settle();
    full = false;
    bench.acknowledge(bench.updates[0]!);
    await bench.settle();
    const appended = bench.disk.operations.flatMap((one) => (one.op === "append" ? [one.data] : []));
    const types = splitDelimited(Buffer.concat(appended)).messages.map(
      (message) => StatusUpdateRecord.decode(message).type,
    );
    expect(types, "an acknowledgement of something that is not there makes no sense").to.deep.equal([0, 1]);
  });

  it("of an executor that is gone are resent until acknowledged, and only then is it removed", async () => {
    const bench = await AgentBench.registered();
    bench.run(bench.task("t1", { executor: bench.custom("e1") }), bench.framework(checkpointing), true);
    await bench.settle();
    bench.subscribe("e1");
    await bench.settle();
    bench.containerizer.of("e1").exit(1);
    await bench.settle();
    const sentinels = () => bench.disk.paths("create").filter((path) => path.endsWith("executor.sentinel"));
    bench.master.say("PingSlaveMessage", { connected: true });
    await bench.clock.advance(30_000);
    expect(bench.updates).to.have.length(3);
    expect([sentinels().length, bench.agent.state.frameworks.size]).to.deep.equal([0, 1]);
    expect((await bench.drain("t1")).map(line)).to.deep.equal([
      "TASK_FAILED REASON_EXECUTOR_TERMINATED: Executor terminated",
    ]);
    expect([sentinels().length, bench.agent.state.frameworks.size]).to.deep.equal([1, 0]);
    await bench.clock.advance(600_000);
    expect(bench.updates).to.have.length(3);
  });
});
