import { expect } from "chai";
import { AgentInfo, FrameworkInfo } from "../../../proto/gen/mesos/v1/mesos.js";
import { MetricsRegistry } from "../../../sdk/contracts/metrics-registry.js";
import { parseResources, Resources } from "../../../sdk/resources/index.js";
import { SeededRandom } from "../../../sdk/testing/seeded-random.js";
import { VirtualClock } from "../../../sdk/testing/virtual-clock.js";
import { makeAllocator } from "./make-allocator.js";

function resources(text: string): Resources {
  const parsed = parseResources(text);
  return parsed.ok ? parsed.value : Resources.empty;
}

function world() {
  const clock = new VirtualClock();
  const metrics = new MetricsRegistry(clock);
  const allocator = makeAllocator({ clock, random: new SeededRandom(1), metrics });
  const offers: { agent: string; resources: Resources }[] = [];
  allocator.start({
    offer: ({ agents }) => {
      for (const [agent, offered] of agents) offers.push({ agent, resources: offered });
    },
  });
  const addAgent = (id: string, total = "cpus:4;mem:1024") =>
    allocator.addAgent({
      id,
      info: AgentInfo.fromPartial({ id: { value: id } }),
      capabilities: [{ type: 1 }, { type: 2 }],
      total: resources(total),
      used: new Map(),
    });
  const addFramework = (id: string, roles: string[]) =>
    allocator.addFramework(
      {
        id,
        info: FrameworkInfo.fromPartial({ roles, capabilities: [{ type: 6 }] }),
        active: true,
        suppressedRoles: [],
        offerConstraints: undefined,
      },
      new Map(),
    );
  return { clock, metrics, allocator, offers, addAgent, addFramework };
}

describe("allocation runs", () => {
  it("come at once after an event, merged, and not for a declined offer", async () => {
    const { clock, allocator, offers, addAgent, addFramework, metrics } = world();
    addFramework("f", ["*"]);
    for (let i = 0; i < 50; i++) addAgent(`a${i}`);
    await clock.advance(1);
    expect(offers).to.have.length(50);
    expect(metrics.snapshot().get("allocator/mesos/allocation_runs")).to.equal(1);

    const [declined] = offers.splice(0);
    allocator.recover({
      frameworkId: "f",
      agentId: declined!.agent,
      resources: declined!.resources,
      filters: { refuse_seconds: 0 },
    });
    addAgent("late");
    await clock.advance(100);
    expect(offers.map(({ agent }) => agent)).to.deep.equal(["late"]);
    await clock.advance(1000);
    expect(offers.map(({ agent }) => agent)).to.deep.equal(["late", declined!.agent]);
  });

  it("gather what ending tasks free for a moment, so that it makes one offer", async () => {
    const { clock, allocator, offers, addAgent, addFramework } = world();
    addFramework("f", ["*"]);
    addAgent("a");
    await clock.advance(1);
    offers.length = 0;
    const task = resources("cpus:1;mem:64").allocate("*");
    for (let i = 0; i < 3; i++) {
      allocator.recover({ frameworkId: "f", agentId: "a", resources: task });
      await clock.advance(2);
    }
    await clock.advance(20);
    expect(offers.map((offer) => offer.resources.unallocate().toString())).to.deep.equal(["cpus:3; mem:192"]);
  });

  it("publish the metrics that Mesos publishes", async () => {
    const { clock, allocator, offers, addAgent, addFramework, metrics } = world();
    addFramework("f", ["dev", "prod/web"]);
    addAgent("a", "cpus:4;mem:1024;disk:100;cpus(prod):1");
    await clock.advance(1);
    const [offer] = offers;
    const role = offer!.resources.entries[0]!.kind.allocationRole!;
    const snapshot = () => Object.fromEntries(metrics.snapshot());
    expect(snapshot()).to.include({
      "allocator/mesos/resources/cpus/total": 5,
      "allocator/mesos/resources/mem/offered_or_allocated": 1024,
      [`allocator/mesos/roles/${role}/shares/dominant`]: 1,
      "allocator/mesos/offer_filters/roles/prod/active": 0,
      "allocator/mesos/quota/roles//resources/disk/consumed": 0,
      "allocator/mesos/quota/roles//resources/cpus/consumed": 1,
      "allocator/event_queue_dispatches": 0,
    });
    const used = { frameworkId: "f", agentId: "a", resources: offer!.resources };
    allocator.transition(used);
    expect(snapshot()).to.include({
      "allocator/mesos/quota/roles//resources/disk/consumed": 100,
      "allocator/mesos/quota/roles//resources/cpus/consumed": 5,
      "allocator/mesos/quota/roles/prod/resources/cpus/consumed": role === "prod/web" ? 5 : 1,
    });
    allocator.recover({ ...used, allocated: true, filters: { refuse_seconds: 60 } });
    expect(snapshot()).to.include({ "allocator/mesos/quota/roles//resources/cpus/consumed": 1 });
    expect(snapshot()).to.include({ [`allocator/mesos/offer_filters/roles/${role}/active`]: 1 });
    allocator.removeFramework("f");
    allocator.removeAgent("a");
    const left = Object.keys(snapshot()).filter((name) => /roles/.test(name));
    expect(left).to.deep.equal([]);
  });

  it("publish quotas, and what of them is taken, while there are any", async () => {
    const { clock, allocator, addAgent, addFramework, metrics } = world();
    const cpus = (count: number) => new Map([["cpus", count * 1000]]);
    allocator.updateQuota("dev", { guarantees: cpus(1), limits: cpus(3) });
    addFramework("f", ["dev"]);
    addAgent("a");
    await clock.advance(1);
    const quota = () =>
      [...metrics.snapshot()].filter(([name]) => /quota\/roles\/dev\/resources\/cpus/.test(name));
    expect(Object.fromEntries(quota())).to.deep.equal({
      "allocator/mesos/quota/roles/dev/resources/cpus/consumed": 0,
      "allocator/mesos/quota/roles/dev/resources/cpus/guarantee": 1,
      "allocator/mesos/quota/roles/dev/resources/cpus/limit": 3,
      "allocator/mesos/quota/roles/dev/resources/cpus/offered_or_allocated": 3,
    });
    allocator.removeFramework("f");
    allocator.updateQuota("dev", { guarantees: new Map(), limits: new Map() });
    expect(quota()).to.deep.equal([]);
  });
});
