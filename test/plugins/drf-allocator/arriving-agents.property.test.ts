import { expect } from "chai";
import fc from "fast-check";
import { AgentInfo, FrameworkInfo } from "../../../proto/gen/mesos/v1/mesos.js";
import { MetricsRegistry } from "../../../sdk/contracts/metrics-registry.js";
import { Resources } from "../../../sdk/resources/index.js";
import { SeededRandom } from "../../../sdk/testing/seeded-random.js";
import { VirtualClock } from "../../../sdk/testing/virtual-clock.js";
import { bundle } from "../../sdk/resources/arbitraries.js";
import { makeAllocator } from "./make-allocator.js";

const FRAMEWORKS = ["known", "later"];

function framework(id: string) {
  const info = FrameworkInfo.fromPartial({ roles: ["ads", "dev"], capabilities: [{ type: 6 }, { type: 7 }] });
  return { id, info, active: true, suppressedRoles: [], offerConstraints: undefined };
}

/** What an allocator says of a cluster in which an agent comes with what is in use on it, all of it at once or piece by piece. */
async function outcome(total: Resources, used: ReadonlyMap<string, Resources>, atOnce: boolean) {
  const clock = new VirtualClock();
  const metrics = new MetricsRegistry(clock);
  const allocator = makeAllocator({ clock, random: new SeededRandom(1), metrics }, { minAllocatable: [] });
  const offers: string[] = [];
  allocator.start({
    offer: ({ frameworkId, role, agents }) => {
      for (const offered of agents.values()) offers.push(`${frameworkId} ${role} ${offered}`);
    },
  });
  const free: string[] = [];
  const note = () => {
    const figures = [...metrics.snapshot()].filter(([name]) => !/_ms|latency|runs/.test(name));
    free.push(JSON.stringify(figures.sort()), ...offers.splice(0));
  };
  allocator.addFramework(framework("known"), new Map());
  allocator.addAgent({
    id: "a",
    info: AgentInfo.fromPartial({ id: { value: "a" } }),
    capabilities: [{ type: 1 }, { type: 2 }],
    total,
    used: atOnce ? used : new Map(),
  });
  for (const one of atOnce ? [] : used)
    allocator.addResourceProvider({ agentId: "a", total: Resources.empty, used: new Map([one]) });
  await clock.advance(1);
  note();
  allocator.addFramework(
    framework("later"),
    used.has("later") ? new Map([["a", used.get("later")!]]) : new Map(),
  );
  await clock.advance(1);
  note();
  for (const [frameworkId, resources] of used)
    allocator.recover({ frameworkId, agentId: "a", resources, allocated: true });
  await clock.advance(2000);
  note();
  return free;
}

describe("agents that come with tasks", () => {
  it("are accounted for as if their tasks had come one after the other", async () => {
    const inUse = fc
      .tuple(bundle, fc.constantFrom("ads", "dev"))
      .map(([some, role]) => some.unallocate().allocate(role));
    await fc.assert(
      fc.asyncProperty(bundle, inUse, inUse, async (free, first, second) => {
        const used = new Map([first, second].map((some, index) => [FRAMEWORKS[index]!, some]));
        const total = Resources.sum([free, first, second].map((some) => some.unallocate()));
        expect(await outcome(total, used, true)).to.deep.equal(await outcome(total, used, false));
      }),
      { numRuns: 200 },
    );
  }).timeout(60_000);
});
