import { expect } from "chai";
import fc from "fast-check";
import type { DrfAllocatorOptions } from "../../../plugins/drf-allocator/options.js";
import { allocatorSuite } from "../../../sdk/testing/allocator-suite.js";
import { INTERVAL_MS, World } from "../../../sdk/testing/allocator-world.js";
import { makeAllocator } from "./make-allocator.js";

type Sorters = Pick<DrfAllocatorOptions, "roleSorter" | "frameworkSorter">;

const RANDOM: Sorters = { roleSorter: "random", frameworkSorter: "random" };

const SETTINGS: readonly Sorters[] = [
  RANDOM,
  { roleSorter: "random", frameworkSorter: "drf" },
  { roleSorter: "drf", frameworkSorter: "random" },
];

const newWorld = (sorters: Sorters): World =>
  new World((dependencies) => makeAllocator(dependencies, sorters));

describe("allocators with random sorters", () => {
  for (const sorters of SETTINGS) {
    const { roleSorter, frameworkSorter } = sorters;
    describe(`--role_sorter=${roleSorter} --framework_sorter=${frameworkSorter}`, () => {
      for (const { name, run } of allocatorSuite((given) => makeAllocator(given, sorters), "any")) {
        it(name, run);
      }
    });
  }

  /** Of so many offers of one agent, which is given back each time, how many each framework has got. */
  async function turns(world: World, rounds: number): Promise<Map<string, number>> {
    const counts = new Map<string, number>();
    world.addAgent("a1", "cpus:1;mem:100");
    for (let round = 0; round < rounds; round++) {
      const [offer] = await world.during(INTERVAL_MS);
      counts.set(offer!.framework, (counts.get(offer!.framework) ?? 0) + 1);
      world.giveBack(offer!);
    }
    world.allocator.stop();
    return counts;
  }

  /** Four standard deviations of a count of turns with this chance: chance goes beyond in one of 16,000 cases, and the seed is fixed. */
  const slack = (rounds: number, chance: number) => 4 * Math.sqrt(rounds * chance * (1 - chance));

  const expectTurns = (counts: ReadonlyMap<string, number>, rounds: number, weights: readonly number[]) => {
    const sum = weights.reduce((all, weight) => all + weight, 0);
    for (const [i, weight] of weights.entries()) {
      const chance = weight / sum;
      expect(counts.get(`f${i}`) ?? 0, `f${i} of weight ${weight}`).to.be.closeTo(
        rounds * chance,
        slack(rounds, chance),
      );
    }
  };

  it("give roles turns in proportion to their weights", async () => {
    const rounds = 1000;
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 6 }),
        async (list) => {
          const world = newWorld(RANDOM);
          world.allocator.updateWeights(new Map(list.map((weight, i) => [`r${i}`, weight])));
          for (const i of list.keys()) world.addFramework(`f${i}`, { roles: [`r${i}`] });
          expectTurns(await turns(world, rounds), rounds, list);
        },
      ),
      { numRuns: 12, seed: 20 },
    );
  });

  it("give the frameworks of a role the same number of turns", async () => {
    const world = newWorld({ roleSorter: "drf", frameworkSorter: "random" });
    for (let i = 0; i < 5; i++) world.addFramework(`f${i}`, { roles: ["dev"] });
    expectTurns(await turns(world, 2000), 2000, [1, 1, 1, 1, 1]);
  });

  it("give sub-roles turns in proportion to the product of the weights above them", async () => {
    const world = newWorld(RANDOM);
    world.allocator.updateWeights(
      new Map([
        ["a", 3],
        ["a/x", 2],
      ]),
    );
    for (const [i, role] of ["a/x", "a/y", "b"].entries()) world.addFramework(`f${i}`, { roles: [role] });
    expectTurns(await turns(world, 4000), 4000, [2, 1, 1]);
  });

  it("do not look at what a framework holds already", async () => {
    const world = newWorld(RANDOM);
    for (let i = 0; i < 2; i++) world.addFramework(`f${i}`, { roles: ["dev"] });
    world.addAgent("large", "cpus:100;mem:10000");
    // Whoever got it has far more than the other, and keeps it.
    expect(await world.next()).to.have.length(1);
    expectTurns(await turns(world, 1000), 1000, [1, 1]);
  });

  it("make of one seed the same turns again", async () => {
    const once = async () => {
      const world = newWorld(RANDOM);
      for (let i = 0; i < 4; i++) world.addFramework(`f${i}`, { roles: [`r${i % 2}`] });
      return [...(await turns(world, 100))].sort();
    };
    expect(await once()).to.deep.equal(await once());
  });
});
