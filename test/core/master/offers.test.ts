import { expect } from "chai";
import type { Offer } from "../../../proto/gen/mesos/v1/mesos.js";
import type { Event } from "../../../proto/gen/mesos/v1/scheduler/scheduler.js";
import { Event_Type } from "../../../proto/gen/mesos/v1/scheduler/scheduler.js";
import { TestAgent } from "./harness/agent.js";
import { MasterHarness } from "./harness/master-harness.js";

const offersIn = (events: readonly Event[]): Offer[] => events.flatMap((event) => event.offers?.offers ?? []);

async function setUp(capabilities: readonly string[], roles: Record<string, unknown>) {
  const harness = await new MasterHarness().start();
  const agents = ["A", "B"].map((name, index) => {
    const pid = `slave(1)@10.0.0.${index + 1}:5051`;
    return new TestAgent({ name, pid, resources: "cpus:2;mem:64" }, harness.transport);
  });
  harness.transport.sent = (to, message) => agents.find(({ pid }) => pid === to)?.take(message);
  for (const agent of agents) agent.register();
  await harness.settle();
  const framework_info = {
    user: "u",
    name: "n",
    capabilities: capabilities.map((type) => ({ type })),
    ...roles,
  };
  const stream = harness.subscribe(JSON.stringify({ type: "SUBSCRIBE", subscribe: { framework_info } }));
  const frameworkId = stream.events[0]?.subscribed?.framework_id?.value ?? "";
  return { harness, agents, stream, frameworkId };
}

describe("offers", () => {
  it("of one allocation go out in one event", async () => {
    const { harness, agents, stream, frameworkId } = await setUp(["MULTI_ROLE"], { roles: ["a", "b"] });
    for (const { id } of agents) harness.allocator.offer({ frameworkId, role: "a", agentId: id });
    await harness.settle();
    const events = stream.events.filter(({ type }) => type === Event_Type.OFFERS);
    expect(events).to.have.length(1);
    expect(offersIn(events)).to.have.length(2);
  });

  it("say who offers what, and where", async () => {
    const { harness, agents, stream, frameworkId } = await setUp(["MULTI_ROLE", "RESERVATION_REFINEMENT"], {
      roles: ["dev"],
    });
    harness.allocator.offer({ frameworkId, role: "dev", agentId: agents[0]!.id });
    await harness.settle();
    const [offer] = offersIn(stream.events);
    expect(offer).to.deep.equal({
      id: { value: `${harness.master.id}-O0` },
      framework_id: { value: frameworkId },
      agent_id: { value: `${harness.master.id}-S0` },
      hostname: "host-A",
      url: {
        scheme: "http",
        address: { hostname: "host-A", ip: "10.0.0.1", port: 5051 },
        path: "/slave(1)",
        query: [],
      },
      resources: [
        {
          name: "cpus",
          type: 0,
          scalar: { value: 2 },
          reservations: [],
          allocation_info: { role: "dev" },
        },
        {
          name: "mem",
          type: 0,
          scalar: { value: 64 },
          reservations: [],
          allocation_info: { role: "dev" },
        },
      ],
      attributes: [],
      executor_ids: [],
      allocation_info: { role: "dev" },
    });
  });

  it("are in the old format for frameworks without RESERVATION_REFINEMENT", async () => {
    const { harness, agents, stream, frameworkId } = await setUp(["MULTI_ROLE"], { roles: ["dev"] });
    harness.allocator.offer({ frameworkId, role: "dev", agentId: agents[0]!.id });
    await harness.settle();
    const [offer] = offersIn(stream.events);
    expect(offer?.resources[0]).to.include({ role: "*" });
    expect(offer?.resources[0]?.allocation_info).to.deep.equal({ role: "dev" });
  });

  it("do not speak of allocation to frameworks without MULTI_ROLE", async () => {
    const { harness, agents, stream, frameworkId } = await setUp([], { role: "dev" });
    harness.allocator.offer({ frameworkId, role: "dev", agentId: agents[0]!.id });
    await harness.settle();
    const [offer] = offersIn(stream.events);
    expect(offer).to.not.have.property("allocation_info");
    expect(offer?.resources.map(({ allocation_info }) => allocation_info)).to.deep.equal([
      undefined,
      undefined,
    ]);
    const [seen] = harness.master.view.framework(frameworkId)!.offers;
    expect(seen?.allocation_info, "as the operator sees it").to.deep.equal({ role: "dev" });
  });

  it("that are made in the turn in which the framework goes are taken back", async () => {
    const { harness, agents, stream, frameworkId } = await setUp(["MULTI_ROLE"], { roles: ["dev"] });
    const free = harness.allocator.free.get(agents[0]!.id);
    harness.allocator.offer({ frameworkId, role: "dev", agentId: agents[0]!.id });
    stream.session?.disconnected();
    await harness.settle();
    expect(offersIn(stream.events)).to.deep.equal([]);
    expect(harness.allocator.free.get(agents[0]!.id)?.equals(free!)).to.equal(true);
  });
});
