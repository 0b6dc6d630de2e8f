import { expect } from "chai";
import { only, World } from "../../../sdk/testing/allocator-world.js";
import { makeAllocator } from "./make-allocator.js";

const newWorld = (): World => new World((dependencies) => makeAllocator(dependencies));

describe("explanations", () => {
  it("tell the shares of a role and a framework, their weights, and who is before them", async () => {
    const world = newWorld();
    world.allocator.updateWeights(new Map([["dev", 2]]));
    world.addFramework("f", { roles: ["dev"] });
    world.addFramework("g", { roles: ["ops"] });
    world.addAgent("a1", "cpus:3;mem:300");
    const { framework } = only(await world.next());
    world.addAgent("a2", "cpus:1;mem:100");
    const of = (id: string, role: string) => world.allocator.explain(id, role)!.roles[0]!;
    expect(framework).to.equal("f");
    expect(of("f", "dev").roleShare).to.deep.equal({ dominantShare: 0.75, weight: 2, position: 2, of: 2 });
    expect(of("f", "dev").frameworkShare).to.deep.equal({
      dominantShare: 0.75,
      weight: 1,
      position: 1,
      of: 1,
    });
    expect(of("g", "ops").roleShare).to.deep.equal({ dominantShare: 0, weight: 1, position: 1, of: 2 });
    expect([...of("f", "dev").held]).to.deep.equal([
      ["cpus", 3000],
      ["mem", 300_000],
    ]);
    expect(of("g", "ops").offerableAgents).to.equal(1);
    world.allocator.stop();
  });

  it("tell how long refusals last, and name some of the agents", async () => {
    const world = newWorld();
    world.addFramework("f");
    for (let i = 0; i < 20; i++) world.addAgent(`a${i}`, "cpus:1;mem:100");
    const offers = await world.next();
    offers.forEach((offer, i) => {
      world.giveBack(offer, i === 0 ? 10 : 60);
    });
    await world.during(500);
    const { roles, agents } = world.allocator.explain("f")!;
    expect(agents).to.equal(20);
    const [reason] = roles[0]!.reasons;
    expect(reason).to.deep.include({
      code: "FILTERED",
      agents: 20,
      filterEndsIn: { first: 9500, last: 59_500 },
    });
    expect(reason!.examples).to.have.length(5);
    expect(reason!.text).to.equal("20 agents are refused by the framework for a time that is not over");
    world.allocator.stop();
  });

  it("change nothing", async () => {
    const world = newWorld();
    const quota = { guarantees: new Map([["cpus", 1000]]), limits: new Map([["cpus", 2000]]) };
    world.allocator.updateQuota("dev", quota);
    world.addFramework("f", { roles: ["dev"] });
    world.addFramework("g");
    for (let i = 0; i < 4; i++) world.addAgent(`a${i}`, "cpus:1;mem:100");
    for (const id of ["f", "g"]) world.allocator.explain(id);
    const offers = await world.next();
    for (const id of ["f", "g"]) world.allocator.explain(id);
    expect(offers).to.have.length(4);
    expect(await world.next()).to.deep.equal([]);
    world.allocator.stop();
  });

  it("know roles that a framework has left, and frameworks that do not exist", async () => {
    const world = newWorld();
    world.addFramework("f", { roles: ["dev"] });
    expect(world.allocator.explain("nobody")).to.equal(undefined);
    const [role] = world.allocator.explain("f", "ops")!.roles;
    expect(role!.reasons.map(({ code }) => code)).to.deep.equal(["NOT_SUBSCRIBED"]);
    expect(role!.frameworkShare.of).to.equal(0);
    world.allocator.stop();
  });
});
