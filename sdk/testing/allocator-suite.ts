import assert from "node:assert/strict";
import {
  AgentInfo,
  FrameworkInfo_Capability_Type as FrameworkCapability,
} from "../../proto/gen/mesos/v1/mesos.js";
import { OfferConstraints } from "../../proto/gen/mesos/v1/scheduler/scheduler.js";
import { allocatorPaper } from "./allocator-paper.js";
import { allocatorScenarios } from "./allocator-script.js";
import {
  AGENT_CAPABILITIES,
  INTERVAL_MS,
  type MakeAllocator,
  only,
  plain,
  resourcesOf,
  show,
  type Turns,
  World,
} from "./allocator-world.js";
import type { SuiteCase } from "./suite-case.js";

/**
 * What any Allocator must do. Each case has an allocator of its own, on virtual time.
 *
 * @param turns `any` leaves out what depends on whose turn it is
 */
export function allocatorSuite(make: MakeAllocator, turns: Turns = "by shares"): SuiteCase[] {
  const cases: SuiteCase[] = [];
  const test = (name: string, body: (world: World) => Promise<void>): void => {
    cases.push({
      name,
      run: async () => {
        const world = new World(make);
        try {
          await body(world);
        } finally {
          world.allocator.stop();
        }
        assert.equal(world.clock.pendingTimers, 0, "a stopped allocator has no timers");
      },
    });
  };

  const byShares: typeof test = (name, body) => {
    if (turns === "by shares") test(name, body);
  };

  test("offers all of an agent, allocated to the role", async (world) => {
    world.addAgent("a1", "cpus:2;mem:1024;ports:[1-9]");
    world.addFramework("f", { roles: ["dev"] });
    const offer = only(await world.next());
    assert.deepEqual(show([offer]), ["f/dev@a1=cpus:2; mem:1024; ports:[1-9]"]);
    assert.ok(offer.resources.entries.every(({ kind }) => kind.allocationRole === "dev"));
  });

  test("offers nothing twice while it is held", async (world) => {
    world.addAgent("a1", "cpus:2;mem:1024");
    world.addFramework("f1");
    world.addFramework("f2");
    only(await world.next());
    assert.deepEqual(await world.during(10 * INTERVAL_MS), []);
  });

  test("offers a new agent, and what a framework without filter gives back, within an interval", async (world) => {
    world.addFramework("f");
    world.addAgent("a1", "cpus:2;mem:1024");
    const offer = only(await world.next());
    world.giveBack(offer);
    assert.deepEqual(show(await world.next()), show([offer]));
  });

  byShares("shares agents between frameworks of one role by what they hold", async (world) => {
    world.addFramework("f1");
    world.addFramework("f2");
    for (const id of ["a1", "a2", "a3", "a4"]) world.addAgent(id, "cpus:1;mem:100");
    const offers = await world.next();
    const count = (id: string): number => offers.filter(({ framework }) => framework === id).length;
    assert.deepEqual([count("f1"), count("f2")], [2, 2]);
  });

  byShares("shares by weight between roles", async (world) => {
    world.allocator.updateWeights(new Map([["heavy", 3]]));
    world.addFramework("f1", { roles: ["heavy"] });
    world.addFramework("f2", { roles: ["light"] });
    for (let i = 0; i < 8; i++) world.addAgent(`a${i}`, "cpus:1;mem:100");
    const offers = await world.next();
    assert.equal(offers.filter(({ role }) => role === "heavy").length, 6);
  });

  test("counts what an agent brings along as held, also for a framework that comes later", async (world) => {
    const used = resourcesOf("cpus:1;mem:100").allocate("*");
    world.allocator.addAgent({
      id: "a1",
      info: AgentInfo.fromPartial({ id: { value: "a1" } }),
      capabilities: AGENT_CAPABILITIES,
      total: resourcesOf("cpus:2;mem:1000"),
      used: new Map([["later", used]]),
    });
    world.addFramework("f");
    assert.deepEqual(show(await world.next()), ["f/*@a1=cpus:1; mem:900"]);
    world.allocator.addFramework(world.framework("later"), new Map([["a1", used]]));
    assert.deepEqual(await world.next(), []);
    world.allocator.recover({ frameworkId: "later", agentId: "a1", resources: used });
    assert.equal(plain(only(await world.next()).resources), "cpus:1; mem:100");
  });

  test("holds back what was refused, for as long, and offers it to others", async (world) => {
    world.addAgent("a1", "cpus:2;mem:1024");
    world.addFramework("f1");
    const offer = only(await world.next());
    world.giveBack(offer, 5);
    assert.deepEqual(await world.during(4900), []);
    world.addFramework("f2");
    assert.equal(only(await world.during(50)).framework, "f2");
    world.allocator.removeFramework("f2");
    assert.equal(only(await world.during(2 * INTERVAL_MS)).framework, "f1");
  });

  test("holds back a part of what was refused, but not more than it", async (world) => {
    world.addAgent("a1", "cpus:2;mem:1024");
    world.addFramework("f");
    const offer = only(await world.next());
    const half = resourcesOf("cpus:1;mem:512").allocate("*");
    world.giveBack({ ...offer, resources: half }, 3600);
    assert.deepEqual(await world.during(3 * INTERVAL_MS), []);
    world.giveBack({ ...offer, resources: half });
    assert.equal(plain(only(await world.next()).resources), "cpus:2; mem:1024");
  });

  test("treats a negative refusal as the default, and zero as none", async (world) => {
    world.addAgent("a1", "cpus:2;mem:1024");
    world.addFramework("f");
    world.giveBack(only(await world.next()), -1);
    assert.deepEqual(await world.during(4900), []);
    const again = only(await world.during(2 * INTERVAL_MS));
    world.giveBack(again, 0);
    only(await world.next());
  });

  test("keeps a short refusal for at least one interval, so that others get their turn", async (world) => {
    world.addAgent("a1", "cpus:2;mem:1024");
    world.addFramework("f1");
    const offer = only(await world.next());
    world.addFramework("f2");
    await world.clock.advance(INTERVAL_MS / 2);
    world.giveBack(offer, 0.001);
    assert.equal(only(await world.next()).framework, "f2");
  });

  test("revives a framework at once: filters and suppression of the roles are gone", async (world) => {
    world.addAgent("a1", "cpus:2;mem:1024");
    world.addFramework("f");
    world.giveBack(only(await world.next()), 3600);
    assert.deepEqual(await world.next(), []);
    world.allocator.revive("f", []);
    const again = only(await world.next());
    world.allocator.suppress("f", ["*"]);
    world.giveBack(again);
    assert.deepEqual(await world.during(3 * INTERVAL_MS), []);
    world.allocator.revive("f", ["*"]);
    only(await world.next());
  });

  test("suppresses roles one by one, also as the framework says on (re)subscription", async (world) => {
    world.addAgent("a1", "cpus:2;mem:1024");
    world.addFramework("f", { roles: ["x", "y"], suppressed: ["x"] });
    const first = only(await world.next());
    assert.equal(first.role, "y");
    world.giveBack(first);
    world.allocator.updateFramework(world.framework("f", { roles: ["x", "y"], suppressed: ["y"] }));
    assert.equal(only(await world.during(2 * INTERVAL_MS)).role, "x");
  });

  test("makes no offers to inactive frameworks, which keep what they hold", async (world) => {
    world.addAgent("a1", "cpus:2;mem:1024");
    world.addFramework("f");
    const offer = only(await world.next());
    world.allocator.deactivateFramework("f");
    world.addAgent("a2", "cpus:2;mem:1024");
    assert.deepEqual(await world.next(), []);
    world.giveBack(offer);
    assert.deepEqual(await world.next(), []);
    world.allocator.activateFramework("f");
    assert.equal((await world.next()).length, 2);
  });

  test("makes no offers of inactive agents", async (world) => {
    world.addFramework("f");
    world.addAgent("a1", "cpus:2;mem:1024");
    const offer = only(await world.next());
    world.allocator.deactivateAgent("a1");
    world.giveBack(offer);
    assert.deepEqual(await world.during(3 * INTERVAL_MS), []);
    world.allocator.activateAgent("a1");
    only(await world.next());
  });

  test("frees what a removed framework held, and forgets a removed agent", async (world) => {
    world.addAgent("a1", "cpus:2;mem:1024");
    world.addFramework("f1");
    only(await world.next());
    world.addFramework("f2");
    world.allocator.removeFramework("f1");
    const offer = only(await world.next());
    assert.equal(offer.framework, "f2");
    world.allocator.removeAgent("a1");
    world.giveBack(offer);
    assert.deepEqual(await world.next(), []);
  });

  test("follows a change of an agent's total, and offers nothing that is held in excess of it", async (world) => {
    world.addAgent("a1", "cpus:2;mem:1024");
    world.addFramework("f");
    const offer = only(await world.next());
    world.allocator.updateAgent({ id: "a1", total: resourcesOf("cpus:1;mem:2048") });
    const more = only(await world.next());
    assert.equal(plain(more.resources), "mem:1024");
    world.giveBack(offer);
    assert.equal(plain(only(await world.next()).resources), "cpus:1; mem:1024");
  });

  test("offers reservations to their role and the roles below it only", async (world) => {
    world.addAgent("a1", "cpus(prod):1;mem(prod):64;cpus:1;mem:64");
    world.addFramework("other", { roles: ["dev", "product"] });
    const unreserved = await world.next();
    assert.deepEqual(plain(only(unreserved).resources), "cpus:1; mem:64");
    world.addFramework("web", { roles: ["prod/web"] });
    const reserved = only(await world.next());
    assert.equal(reserved.role, "prod/web");
    assert.ok(reserved.resources.entries.every(({ kind }) => kind.reservationRole === "prod"));
  });

  test("offers only what is worth it: cpus:0.01 or mem:32, or what the framework asks for in the role", async (world) => {
    world.addAgent("a1", "cpus:0.001;mem:31;disk:1000");
    world.addFramework("f");
    assert.deepEqual(await world.next(), []);
    world.addAgent("a2", "mem:32");
    only(await world.next());
    const least = {
      min_allocatable_resources: { quantities: [{ quantities: { disk: { value: 1000 } } }] },
    };
    world.addFramework("g", { info: { offer_filters: { "*": least } } });
    assert.equal(only(await world.next()).agent, "a1");
  });

  test("offers GPUs, and agents that have them, to frameworks that know them only", async (world) => {
    world.addAgent("a1", "cpus:2;mem:1024;gpus:1");
    world.addFramework("f1");
    assert.deepEqual(await world.next(), []);
    world.addFramework("f2", { capabilities: [FrameworkCapability.GPU_RESOURCES] });
    assert.equal(plain(only(await world.next()).resources), "cpus:2; mem:1024; gpus:1");
  });

  test("offers revocable resources to frameworks that know them only", async (world) => {
    const firm = resourcesOf("cpus:1;mem:100");
    const revocable = resourcesOf("cpus:3").mapEntries((entry) =>
      entry.withKind(entry.kind.with({ revocable: true })),
    );
    world.addAgent("a1", firm.add(revocable));
    world.addFramework("f1");
    assert.equal(plain(only(await world.next()).resources), "cpus:1; mem:100");
    world.addFramework("f2", { capabilities: [FrameworkCapability.REVOCABLE_RESOURCES] });
    assert.ok(
      only(await world.next())
        .resources.unallocate()
        .equals(revocable),
    );
  });

  test("offers agents without multiple or hierarchical roles to none that needs them", async (world) => {
    world.allocator.addAgent({
      id: "old",
      info: AgentInfo.fromPartial({ id: { value: "old" } }),
      capabilities: [],
      total: resourcesOf("cpus:1;mem:100"),
      used: new Map(),
    });
    world.addFramework("new", { roles: ["dev"] });
    world.addFramework("tree", { info: { capabilities: [], roles: [], role: "dev/web" } });
    assert.deepEqual(await world.next(), []);
    world.addFramework("old", { info: { capabilities: [], roles: [] } });
    assert.deepEqual(show(await world.next()), ["old/*@old=cpus:1; mem:100"]);
  });

  test("keeps to the framework's constraints on agents", async (world) => {
    const constraints = OfferConstraints.fromPartial({
      role_constraints: {
        "*": {
          groups: [
            {
              attribute_constraints: [
                { selector: { attribute_name: "rack" }, predicate: { text_equals: { value: "r1" } } },
                { selector: { attribute_name: "ssd" }, predicate: { exists: {} } },
              ],
            },
            {
              attribute_constraints: [
                {
                  selector: { pseudoattribute_type: 1 },
                  predicate: { text_matches: { regex: "big[0-9]+\\..*" } },
                },
              ],
            },
          ],
        },
      },
    });
    const text = (name: string, value: string) => ({ name, type: 3, text: { value } });
    world.addFramework("f", { constraints });
    world.addAgent("a1", "cpus:1;mem:100", { attributes: [text("rack", "r1")] });
    world.addAgent("a2", "cpus:1;mem:100", { attributes: [text("rack", "r1"), text("ssd", "yes")] });
    world.addAgent("big7", "cpus:1;mem:100");
    const agents = (await world.next()).map(({ agent }) => agent).sort();
    assert.deepEqual(agents, ["a2", "big7"]);
  });

  test("rescinds nothing by itself when roles are dropped, and offers nothing more in them", async (world) => {
    world.addFramework("f", { roles: ["x", "y"] });
    world.addAgent("a1", "cpus:1;mem:100");
    const offer = only(await world.next());
    const kept = offer.role === "x" ? "y" : "x";
    world.allocator.updateFramework(world.framework("f", { roles: [kept] }));
    world.giveBack(offer);
    assert.equal(only(await world.during(2 * INTERVAL_MS)).role, kept);
  });

  test("takes unknown ids without complaint", async (world) => {
    const { allocator } = world;
    const resources = resourcesOf("cpus:1").allocate("*");
    allocator.updateFramework(world.framework("nobody"));
    allocator.removeFramework("nobody");
    allocator.activateFramework("nobody");
    allocator.deactivateFramework("nobody");
    allocator.suppress("nobody", []);
    allocator.revive("nobody", ["x"]);
    allocator.updateAgent({ id: "none", total: resources });
    allocator.removeAgent("none");
    allocator.activateAgent("none");
    allocator.deactivateAgent("none");
    allocator.recover({ frameworkId: "nobody", agentId: "none", resources, filters: {} });
    world.addAgent("a1", "cpus:1;mem:100");
    allocator.recover({ frameworkId: "nobody", agentId: "a1", resources, filters: {} });
    world.addFramework("f");
    assert.deepEqual(show(await world.next()), ["f/*@a1=cpus:1; mem:100"]);
    allocator.recover({ frameworkId: "f", agentId: "a1", resources: resourcesOf("cpus:9").allocate("*") });
    assert.deepEqual(show(await world.next()), ["f/*@a1=cpus:1"]);
  });

  return [
    ...cases,
    ...(turns === "by shares" ? allocatorPaper(make) : []),
    ...allocatorScenarios(make, turns),
  ];
}
