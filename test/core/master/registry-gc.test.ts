import { expect } from "chai";
import { TestAgent } from "./harness/agent.js";
import { MasterHarness } from "./harness/master-harness.js";

async function unreachableAgents(harness: MasterHarness, count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    const pid = `slave(1)@10.0.0.${i + 1}:5051`;
    new TestAgent({ name: `a${i}`, pid, resources: "cpus:1" }, harness.transport).register();
  }
  await harness.clock.advance(75_000);
  expect(harness.master.view.unreachableAgents()).to.equal(count);
}

describe("an agent that is given up", () => {
  it("hears nothing any more of what it was told before", async () => {
    const harness = await new MasterHarness().start();
    await unreachableAgents(harness, 1);
    expect(harness.transport.resetPeers).to.deep.equal(["slave(1)@10.0.0.1:5051"]);
  });
});

describe("the list of unreachable agents", () => {
  it("forgets those that are too old", async () => {
    const flags = { registry_max_agent_age: "1hrs", registry_gc_interval: "15mins" };
    const harness = await new MasterHarness({ flags }).start();
    await unreachableAgents(harness, 2);
    await harness.clock.advance(59 * 60_000);
    expect(harness.master.view.unreachableAgents()).to.equal(2);
    await harness.clock.advance(30 * 60_000);
    expect(harness.master.view.unreachableAgents()).to.equal(0);
    await harness.restart();
    expect(harness.master.view.unreachableAgents(), "also in the registry").to.equal(0);
  });

  it("forgets the oldest when there are too many", async () => {
    const harness = await new MasterHarness({ flags: { registry_max_agent_count: 1 } }).start();
    await unreachableAgents(harness, 3);
    await harness.clock.advance(15 * 60_000);
    expect(harness.master.view.unreachableAgents()).to.equal(1);
  });

  it("keeps what an operator wants of one that comes back just before it would be forgotten", async () => {
    const flags = { registry_max_agent_age: "1hrs", registry_gc_interval: "15mins" };
    const harness = await new MasterHarness({ flags }).start();
    const { clock, master, registry, transport } = harness;
    const agent = new TestAgent({ name: "a", pid: "slave(1)@10.0.0.1:5051", resources: "cpus:1" }, transport);
    transport.sent = (_, message) => agent.take(message);
    agent.register();
    await harness.settle();
    await master.deactivateAgent(agent.id);
    transport.sent = () => undefined;
    await clock.advance(90_000);
    expect(master.view.unreachableAgents()).to.equal(1);
    const apply = registry.apply.bind(registry);
    let prune: (() => void) | undefined;
    registry.apply = async (operation) => {
      if (operation.kind === "prune") await new Promise<void>((resolve) => (prune = resolve));
      return apply(operation);
    };
    await clock.advance(2 * 60 * 60_000);
    agent.reregister();
    await harness.settle();
    expect(master.view.agent(agent.id)?.deactivated).to.equal(true);
    prune!();
    await harness.settle();
    await master.reactivateAgent(agent.id);
    expect(master.view.agent(agent.id)?.deactivated).to.equal(false);
  });
});

describe("after a failover", () => {
  it("a master ends, and gives no agent up, when more are missing than recovery_agent_removal_limit allows", async () => {
    const harness = await new MasterHarness({ flags: { recovery_agent_removal_limit: "50%" } }).start();
    for (const index of [1, 2, 3]) {
      const pid = `slave(1)@10.0.0.${index}:5051`;
      new TestAgent({ name: `a${index}`, pid, resources: "cpus:1" }, harness.transport).register();
    }
    await harness.settle();
    await harness.restart();
    await harness.clock.advance(11 * 60_000);
    expect(harness.master.leadership().role).to.equal("standby");
    const [line] = harness.logger.lines.filter(({ level }) => level === "error");
    expect(String(line?.fields.err)).to.include(
      "recovery_agent_removal_limit allows did not re-register after the failover: 3 of 3 within 10mins, and the limit is 50%",
    );
    await harness.restart();
    expect([...harness.master.view.recoveredAgents()]).to.have.length(3);
    expect(harness.master.view.unreachableAgents()).to.equal(0);
  });
});
