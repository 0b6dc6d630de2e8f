import { expect } from "chai";
import {
  incompatibilities,
  type ReconfigurationPolicy,
} from "../../../../core/agent/recovery/compatibility.js";
import type { SavedExecutor } from "../../../../core/agent/recovery/saved-state.js";
import {
  type AgentInfo,
  type Attribute,
  TaskState,
  Value_Type,
} from "../../../../proto/gen/mesos/v1/mesos.js";
import { AGENT_ID, line, scalar } from "../support/agent-bench.js";
import { BOOT, Restarted } from "../support/restarted.js";

const { TASK_STARTING, TASK_RUNNING } = TaskState;

describe("an agent that comes back changed", () => {
  const text = (name: string, value: string): Attribute => ({
    name,
    type: Value_Type.TEXT,
    text: { value },
  });
  const ranges = (name: string, begin: number, end: number): Attribute => ({
    name,
    type: Value_Type.RANGES,
    ranges: { range: [{ begin, end }] },
  });
  const agent = (more: Partial<AgentInfo>): AgentInfo => ({
    hostname: "h",
    port: 5051,
    resources: [scalar("cpus", 4), scalar("mem", 1024)],
    attributes: [text("rack", "r1"), ranges("racks", 1, 3)],
    ...more,
  });
  const domain = { fault_domain: { region: { name: "r" }, zone: { name: "z" } } };

  const CASES: readonly [what: string, now: Partial<AgentInfo>, allowed: readonly ReconfigurationPolicy[]][] =
    [
      ["nothing", {}, ["equal", "additive", "any"]],
      ["more of a resource", { resources: [scalar("cpus", 8), scalar("mem", 1024)] }, ["additive", "any"]],
      [
        "another resource",
        { resources: [scalar("cpus", 4), scalar("mem", 1024), scalar("gpus", 1)] },
        ["additive", "any"],
      ],
      ["less of a resource", { resources: [scalar("cpus", 2), scalar("mem", 1024)] }, ["any"]],
      ["a resource less", { resources: [scalar("cpus", 4)] }, ["any"]],
      ["a resource for one role", { resources: [scalar("cpus", 4, "dev"), scalar("mem", 1024)] }, ["any"]],
      [
        "another attribute",
        { attributes: [text("rack", "r1"), ranges("racks", 1, 3), text("os", "x")] },
        ["additive", "any"],
      ],
      ["an attribute less", { attributes: [text("rack", "r1")] }, ["any"]],
      ["another value", { attributes: [text("rack", "r2"), ranges("racks", 1, 3)] }, ["any"]],
      ["more in a range", { attributes: [text("rack", "r1"), ranges("racks", 1, 9)] }, ["additive", "any"]],
      ["less in a range", { attributes: [text("rack", "r1"), ranges("racks", 2, 3)] }, ["any"]],
      ["a domain", { domain }, ["additive", "any"]],
      ["the hostname", { hostname: "other" }, []],
      ["the port", { port: 1 }, []],
    ];
  for (const [what, now, allowed] of CASES) {
    it(`by ${what} may be so under ${allowed.join(", ") || "no policy"}`, () => {
      for (const policy of ["equal", "additive", "any"] as const) {
        const problems = incompatibilities(policy, agent({}), agent(now));
        expect(problems.length === 0, `${policy}: ${problems.join()}`).to.equal(allowed.includes(policy));
      }
    });
  }

  it("keeps its id and its tasks where its policy is `any`, also those that no longer fit", async () => {
    const it = new Restarted({ reconfigurationPolicy: "any" });
    const before = {
      ...it.bench.agent.state.info,
      id: { value: AGENT_ID },
      resources: [scalar("cpus", 9), scalar("mem", 8192), scalar("gpus", 1)],
      attributes: [text("rack", "r1")],
    };
    const running = (id: string) => {
      const saved = it.task(id, [TASK_STARTING, TASK_RUNNING]);
      return it.command(id, { ...saved, task: { ...saved.task, resources: [scalar("cpus", 3, "*")] } });
    };
    const bench = await it.recover(it.saved([running("t1"), running("t2")], { info: before }));
    await it.register();
    const [message] = bench.master.heard("ReregisterSlaveMessage");
    expect(message!.slave!.id!.value).to.equal(AGENT_ID);
    expect(message!.slave!.resources.map(({ name, scalar: s }) => [name, s!.value])).to.deep.equal([
      ["cpus", 4],
      ["mem", 4096],
    ]);
    expect(message!.tasks.map(({ task_id }) => task_id!.value)).to.deep.equal(["t1", "t2"]);
    expect(bench.containerizer.of("t2").destroyed).to.equal(false);
    bench.containerizer.of("t2").exit(0);
    expect((await bench.drain("t2")).map(line)).to.deep.equal([
      "TASK_FINISHED: Command exited with status 0",
    ]);
    expect(bench.disk.paths("write"), "it is this agent from now on").to.include(
      `/srv/meta/slaves/${AGENT_ID}/slave.info`,
    );
  });

  it("still refuses to be without what is reserved", async () => {
    const it = new Restarted({ reconfigurationPolicy: "any" });
    const reserved = { ...scalar("cpus", 6), reservations: [{ type: 2, role: "dev", principal: "p" }] };
    const info = { ...it.bench.agent.state.info, id: { value: AGENT_ID }, resources: [scalar("cpus", 8)] };
    const saved = it.saved([], {
      info,
      resources: { committed: [reserved], operations: [], target: undefined },
    });
    const refused = await it.bench.agent.recover(saved, BOOT).then(() => "", String);
    expect(refused).to.match(/cpus.*:6.*no longer has what is reserved on it/);
    expect(refused).to.match(/unreserve them/);
  });

  for (const [what, before, advice] of [
    ["more", { resources: [scalar("cpus", 2)] }, / --reconfiguration_policy=additive or any,/],
    ["less", { resources: [scalar("cpus", 8), scalar("mem", 4096)] }, / --reconfiguration_policy=any,/],
    ["another address, which no policy allows", { hostname: "old" }, /start the agent as it was, or remove/],
  ] as const) {
    it(`says what can be done when it is refused for ${what}`, async () => {
      const it = new Restarted();
      const info = { ...it.bench.agent.state.info, id: { value: AGENT_ID }, ...before } as AgentInfo;
      const refused = await it.bench.agent.recover(it.saved([], { info }), BOOT).then(() => "", String);
      expect(refused).to.match(advice);
      expect(refused).to.match(/remove '\/srv\/meta\/slaves\/latest' to start as a new agent/);
    });
  }
});

describe("an agent that is only to end what is left", () => {
  it("ends all executors, politely first, and then itself, without a word to a master", async () => {
    const it = new Restarted({ recover: "cleanup" });
    // Its flags do not matter any more.
    const info = { ...it.bench.agent.state.info, id: { value: AGENT_ID }, hostname: "old" };
    const custom: SavedExecutor = {
      id: "e1",
      info: it.bench.custom("e1")!,
      generated: false,
      groups: [],
      containerId: "c-e1",
      completed: false,
      tasks: [it.task("of-e1", [TASK_RUNNING])],
    };
    const { bench } = it;
    await bench.agent.recover(
      it.saved([it.command("t1", it.task("t1", [TASK_STARTING, TASK_RUNNING])), custom], { info }),
      BOOT,
    );
    bench.agent.endEarlierRun();
    bench.master.lead();
    await bench.settle();
    expect(bench.containerizer.of("t1").signals).to.deep.equal([15]);
    expect(bench.finished).to.equal(false);
    const executor = bench.subscribe("e1");
    expect(executor.types).to.deep.equal(["SHUTDOWN"]);
    await bench.clock.advance(5000);
    expect(bench.containerizer.of("t1").signals).to.deep.equal([15, 9]);
    expect(bench.containerizer.of("e1").destroyed).to.equal(true);
    await bench.settle();
    expect(bench.finished).to.equal(true);
    expect(bench.master.sent.filter(({ name }) => name.includes("egister"))).to.deep.equal([]);
    const sentinels = bench.disk.paths("create").filter((path) => path.endsWith("executor.sentinel"));
    expect(sentinels, "nothing of them is taken up again").to.have.length(2);
  });

  it("ends at once where nothing is left", async () => {
    const it = new Restarted({ recover: "cleanup" });
    await it.bench.agent.recover(it.saved([], { frameworks: [] }), BOOT);
    it.bench.agent.endEarlierRun();
    expect(it.bench.finished).to.equal(true);
  });
});
