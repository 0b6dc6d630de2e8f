import { expect } from "chai";
import type { Clock, Timer } from "../../../sdk/contracts/clock.js";
import type { Seen } from "../../../sdk/testing/allocator-world.js";
import { World } from "../../../sdk/testing/allocator-world.js";
import { makeAllocator } from "./make-allocator.js";

/** Lets one timer's worth of time pass at a time. */
class Steps {
  readonly world: World;

  constructor(sliceMs: number) {
    this.world = new World((dependencies) => {
      const { clock } = dependencies;
      const slow: Clock = {
        now: () => clock.now(),
        monotonic: () => clock.monotonic(),
        setTimeout: (fn, ms): Timer => clock.setTimeout(fn, Math.max(1, ms)),
        setInterval: (fn, ms) => clock.setInterval(fn, ms),
      };
      return makeAllocator({ ...dependencies, clock: slow }, { sliceMs });
    });
  }

  step(): Promise<Seen[]> {
    return this.world.during(1);
  }
}

describe("a run in slices", () => {
  it("offers each slice's part at its end, and everything in the end", async () => {
    const steps = new Steps(0);
    steps.world.addFramework("f");
    for (let i = 0; i < 5; i++) steps.world.addAgent(`a${i}`, "cpus:1;mem:100");
    for (let i = 0; i < 5; i++) expect(await steps.step()).to.have.length(1);
    expect(await steps.step()).to.have.length(0);
    steps.world.allocator.stop();
  });

  it("takes each agent and framework as it is by then", async () => {
    const steps = new Steps(0);
    const { world } = steps;
    world.addFramework("f");
    world.addFramework("g");
    for (let i = 0; i < 6; i++) world.addAgent(`a${i}`, "cpus:1;mem:100");
    const [first] = await steps.step();
    const left = ["a0", "a1", "a2", "a3", "a4", "a5"].filter((id) => id !== first!.agent);
    world.allocator.removeAgent(left[0]!);
    world.allocator.deactivateAgent(left[1]!);
    world.allocator.removeFramework(first!.framework);
    const other = first!.framework === "f" ? "g" : "f";
    const offers = await world.during(20);
    expect(new Set(offers.map(({ framework }) => framework))).to.deep.equal(new Set([other]));
    // The agent of the framework that has left is free again, and offered by a run after this one.
    expect(offers.map(({ agent }) => agent).sort()).to.deep.equal([first!.agent, ...left.slice(2)].sort());
    world.allocator.stop();
  });

  it("begins no other run before its end, and forgets none that was asked for", async () => {
    const steps = new Steps(0);
    const { world } = steps;
    world.addFramework("f");
    for (let i = 0; i < 3; i++) world.addAgent(`a${i}`, "cpus:1;mem:100");
    await steps.step();
    world.addAgent("late", "cpus:1;mem:100");
    const offers = await world.during(10);
    expect(offers.at(-1)?.agent).to.equal("late");
    expect(offers).to.have.length(3);
    world.allocator.stop();
  });
});
