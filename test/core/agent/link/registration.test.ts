import { expect } from "chai";
import { AGENT_ID, AgentBench, FRAMEWORK_ID } from "../support/agent-bench.js";
import { MASTER } from "../support/scripted-master.js";

describe("agent registration", () => {
  it("waits a random time within the back-off factor, then registers as a Mesos agent does", async () => {
    const bench = new AgentBench();
    bench.agent.start();
    bench.master.lead();
    expect(bench.master.sent).to.have.length(0);
    await bench.clock.advance(1000);
    const [first] = bench.master.heard("RegisterSlaveMessage", MASTER);
    expect(first!.version).to.equal("1.12.0");
    expect(first!.slave!.hostname).to.equal("agent.example");
    expect(first!.slave!.resources.map(({ name, role }) => [name, role])).to.deep.equal([
      ["cpus", "*"],
      ["mem", "*"],
    ]);
    expect(first!.agent_capabilities).not.to.have.length(0);
  });

  it("tries again with growing waits that stay under a minute, until it is taken", async () => {
    const bench = new AgentBench();
    bench.agent.start();
    bench.master.lead();
    const times: number[] = [];
    for (let second = 0; second < 600; second++) {
      const before = bench.master.sent.length;
      await bench.clock.advance(1000);
      for (let i = before; i < bench.master.sent.length; i++) times.push(second);
    }
    const waits = times.slice(1).map((time, i) => time - times[i]!);
    expect(Math.max(...waits))
      .to.be.greaterThan(10)
      .and.at.most(61);
    expect(times.length).to.be.greaterThan(8);
    // Once: an operator may have named an agent, or a machine that is down.
    expect(bench.logger.messages("warn").filter((text) => text.startsWith("no answer yet"))).to.have.length(
      1,
    );
    bench.master.say("SlaveRegisteredMessage", { slave_id: { value: AGENT_ID } });
    const sent = bench.master.sent.length;
    await bench.clock.advance(70_000);
    expect(bench.master.sent).to.have.length(sent);
  });

  it("remembers its id on disk before anything else can use it", async () => {
    const bench = await AgentBench.registered();
    await bench.settle();
    expect(bench.disk.paths("write")).to.include(`/srv/meta/slaves/${AGENT_ID}/slave.info`);
    expect(bench.disk.operations.find(({ op }) => op === "symlink")).to.deep.equal({
      op: "symlink",
      path: "/srv/meta/slaves/latest",
      target: `/srv/meta/slaves/${AGENT_ID}`,
      durable: true,
    });
  });

  it("answers pings to whoever sent them, and registers again when none comes", async () => {
    const bench = await AgentBench.registered();
    bench.master.say("PingSlaveMessage", { connected: true }, "slave-observer(1)@10.0.0.1:5050");
    expect(bench.master.heard("PongSlaveMessage", "slave-observer(1)@10.0.0.1:5050")).to.have.length(1);
    await bench.clock.advance(74_000);
    expect(bench.agent.link.registered).to.equal(true);
    expect(bench.master.resets).to.deep.equal([]);
    await bench.clock.advance(3000);
    expect(bench.agent.link.registered).to.equal(false);
    expect(bench.master.resets, "a connection that may be dead is not waited for").to.deep.equal([MASTER]);
    expect(bench.master.heard("ReregisterSlaveMessage")).not.to.have.length(0);
  });

  it("keeps the ping timeout that the master gives", async () => {
    const bench = new AgentBench();
    bench.agent.start();
    bench.master.lead();
    await bench.clock.advance(1000);
    bench.master.say("SlaveRegisteredMessage", {
      slave_id: { value: AGENT_ID },
      connection: { total_ping_timeout_seconds: 10 },
    });
    await bench.clock.advance(11_000);
    expect(bench.master.heard("ReregisterSlaveMessage")).not.to.have.length(0);
  });

  it("registers again when the master says in a ping that it lost track", async () => {
    const bench = await AgentBench.registered();
    bench.master.say("PingSlaveMessage", { connected: false });
    expect(bench.master.heard("PongSlaveMessage")).to.have.length(1);
    await bench.clock.advance(1000);
    const [again] = bench.master.heard("ReregisterSlaveMessage");
    expect(again!.slave!.id!.value).to.equal(AGENT_ID);
  });

  it("registers again when the connection to the master breaks", async () => {
    const bench = await AgentBench.registered();
    bench.master.links.at(-1)!.exited();
    await bench.clock.advance(1000);
    expect(bench.master.heard("ReregisterSlaveMessage")).to.have.length(1);
  });

  it("takes its tasks along to a new master, and ignores the old one", async () => {
    const bench = await AgentBench.registered();
    bench.run(bench.task("t1"), bench.framework({ checkpoint: true }));
    await bench.settle();
    bench.master.lead(undefined);
    bench.master.lead("master@10.0.0.9:5050");
    await bench.clock.advance(1000);
    const [message] = bench.master.heard("ReregisterSlaveMessage", "master@10.0.0.9:5050");
    expect(message!.tasks.map(({ task_id }) => task_id!.value)).to.deep.equal(["t1"]);
    expect(message!.frameworks.map(({ id }) => id!.value)).to.deep.equal([FRAMEWORK_ID]);
    expect(message!.executor_infos, "executors of command tasks are our own invention").to.deep.equal([]);
    bench.kill("t1");
    await bench.settle();
    expect(bench.containerizer.of("t1").signals).to.deep.equal([]);
  });

  it("tells the master of tasks that it thinks run here and do not", async () => {
    const bench = await AgentBench.registered();
    bench.master.say("PingSlaveMessage", { connected: false });
    await bench.clock.advance(1000);
    const unknown = (frameworkId: string, partitionAware: boolean) => ({
      framework_id: { value: frameworkId },
      statuses: [{ task_id: { value: `of-${frameworkId}` }, state: 1 }],
      framework: bench.framework({ capabilities: partitionAware ? [{ type: 5 }] : [] }),
    });
    bench.master.say("SlaveReregisteredMessage", {
      slave_id: { value: AGENT_ID },
      reconciliations: [unknown("old", false), unknown("new", true)],
    });
    await bench.settle();
    const told = bench.updates.map(({ framework_id, status }) => [framework_id!.value, status!.state]);
    // TASK_LOST and TASK_DROPPED.
    expect(told).to.deep.equal([
      ["old", 5],
      ["new", 9],
    ]);
  });

  it("ignores another id from a master, and lives on", async () => {
    const bench = await AgentBench.registered();
    bench.master.say("SlaveRegisteredMessage", { slave_id: { value: "m-S9" } });
    expect(bench.agent.state.id).to.equal(AGENT_ID);
  });

  it("drops what it cannot read or does not know, and lives on", async () => {
    const bench = await AgentBench.registered();
    const deliver = (name: string, body: Uint8Array) => bench.master.deliver({ from: MASTER, name, body });
    deliver("mesos.internal.RunTaskMessage", Buffer.from([0xff, 0xff, 0xff]));
    deliver("mesos.internal.KillTaskMessage", new Uint8Array(0));
    deliver("mesos.internal.NoSuchMessage", new Uint8Array(0));
    deliver("constructor", new Uint8Array(0));
    bench.run(bench.task("t1"));
    await bench.settle();
    expect(bench.containerizer.launched).to.have.length(1);
  });

  it("ends its frameworks and then itself when the master says so", async () => {
    const bench = await AgentBench.registered();
    bench.run(bench.task("t1"));
    await bench.settle();
    bench.master.say("ShutdownMessage", { message: "go" });
    expect(bench.finished).to.equal(false);
    await bench.clock.advance(10_000);
    expect(bench.containerizer.of("t1").signals).to.deep.equal([15, 9]);
    expect(bench.finished).to.equal(true);
  });
});
