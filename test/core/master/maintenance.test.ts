import { expect } from "chai";
import { UnregisterSlaveMessage } from "../../../proto/gen/mesos/internal/messages.js";
import { DrainState } from "../../../proto/gen/mesos/v1/mesos.js";
import { isTepuiError } from "../../../sdk/errors/index.js";
import { TestAgent } from "./harness/agent.js";
import { MasterHarness } from "./harness/master-harness.js";

const MACHINE = { hostname: "host-a", ip: "10.0.0.1" };
const SCHEDULE = { windows: [{ machine_ids: [MACHINE], unavailability: { start: { nanoseconds: 1n } } }] };

/** A master with one agent. */
async function withAgent(): Promise<{ harness: MasterHarness; agent: TestAgent }> {
  const harness = await new MasterHarness().start();
  const { transport } = harness;
  const agent = new TestAgent({ name: "a", pid: "slave(1)@10.0.0.1:5051", resources: "cpus:1" }, transport);
  transport.sent = (_, message) => agent.take(message);
  agent.register();
  await harness.settle();
  return { harness, agent };
}

const details = (results: readonly PromiseSettledResult<void>[]): (string | undefined)[] =>
  results.map((result) =>
    result.status === "fulfilled" ? "done" : isTepuiError(result.reason) ? result.reason.detail : "?",
  );

describe("operators who act at the same time", () => {
  it("change maintenance one after the other, each on what the one before has left", async () => {
    const { master } = (await withAgent()).harness;
    const results = await Promise.allSettled([
      master.updateMaintenanceSchedule(SCHEDULE),
      master.startMaintenance([MACHINE]),
      master.updateMaintenanceSchedule({ windows: [] }),
      master.startMaintenance([MACHINE]),
      master.stopMaintenance([MACHINE]),
    ]);
    const text = `Machine '{"hostname":"host-a","ip":"10.0.0.1"}'`;
    expect(details(results).slice(0, 2)).to.deep.equal(["done", "done"]);
    expect(details(results).slice(2, 4)).to.deep.equal([
      `${text} is deactivated and cannot be removed from the schedule`,
      `${text} is not in DRAINING mode and cannot be brought down`,
    ]);
    expect(details(results)[4]).to.equal("done");
    expect(master.maintenanceSchedule().windows).to.deep.equal([]);
    expect([...master.view.agents()]).to.deep.equal([]);
  });

  it("bring a machine down while an agent is being admitted there: it is not kept", async () => {
    const harness = await new MasterHarness().start();
    const { master, registry, transport } = harness;
    const agent = new TestAgent({ name: "a", pid: "slave(1)@10.0.0.1:5051", resources: "cpus:1" }, transport);
    const sent: string[] = [];
    transport.sent = (_, message) => {
      sent.push(message.name);
      agent.take(message);
    };
    const apply = registry.apply.bind(registry);
    let admit: (() => void) | undefined;
    registry.apply = async (operation) => {
      if (operation.kind === "admit-agent") await new Promise<void>((resolve) => (admit = resolve));
      return apply(operation);
    };
    await master.updateMaintenanceSchedule(SCHEDULE);
    agent.register();
    await harness.settle();
    await master.startMaintenance([MACHINE]);
    admit!();
    await harness.settle();
    expect([...master.view.agents()]).to.deep.equal([]);
    expect(sent).to.include("mesos.internal.ShutdownMessage");
  });

  it("mark an agent gone once, and do not drain it meanwhile", async () => {
    const { harness, agent } = await withAgent();
    const { master } = harness;
    const gone = master.markAgentGone(agent.id);
    const results = await Promise.allSettled([
      master.markAgentGone(agent.id),
      master.drainAgent({ agentId: agent.id, markGone: false }),
      gone,
    ]);
    expect(details(results)).to.deep.equal([
      `Agent '${agent.id}' is already being transitioned to gone`,
      "Agent is currently being marked gone",
      "done",
    ]);
    expect([...master.view.agents()]).to.deep.equal([]);
  });

  for (const before of [true, false]) {
    it(`drain an agent anew while it is written that it is drained, ${before ? "before" : "after"} it took effect`, async () => {
      const { harness, agent } = await withAgent();
      const { master, registry } = harness;
      const apply = registry.apply.bind(registry);
      const writing: (() => void)[] = [];
      registry.apply = async (operation) => {
        if (operation.kind !== "mark-agent-drained") return apply(operation);
        if (!before) await apply(operation);
        await new Promise<void>((resolve) => writing.push(resolve));
        return apply(operation);
      };
      const drain = (markGone: boolean): Promise<void> => master.drainAgent({ agentId: agent.id, markGone });
      const state = () => master.view.agent(agent.id)?.drainInfo?.state;
      await drain(false);
      await harness.settle();
      await drain(false);
      expect(state()).to.equal(DrainState.DRAINING);
      writing.shift()!();
      await harness.settle();
      // The first call's write says nothing of the second.
      writing.shift()!();
      await harness.settle();
      expect(state()).to.equal(DrainState.DRAINED);
      await drain(false);
      await harness.settle();
      await drain(true);
      writing.shift()!();
      await harness.settle();
      expect([...master.view.agents()], "gone, as asked last").to.deep.equal([]);
    });
  }

  it("do not mark an agent gone that is just saying goodbye", async () => {
    const { harness, agent } = await withAgent();
    agent.say(
      "UnregisterSlaveMessage",
      UnregisterSlaveMessage.encode({ slave_id: { value: agent.id } }).finish(),
    );
    const results = await Promise.allSettled([harness.master.markAgentGone(agent.id)]);
    expect(details(results)).to.deep.equal([`Agent '${agent.id}' is being transitioned to removed`]);
    await harness.settle();
    const again = await Promise.allSettled([harness.master.markAgentGone(agent.id)]);
    expect(details(again)).to.deep.equal([`Agent '${agent.id}' not found`]);
  });
});
