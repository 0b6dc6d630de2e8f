import { expect } from "chai";
import fc from "fast-check";
import { INTERVAL_MS, resourcesOf, type Seen, World } from "../../../sdk/testing/allocator-world.js";
import { makeAllocator } from "./make-allocator.js";

const EVERYTHING = { min_allocatable_resources: { quantities: [] } };

const newWorld = (): World => new World((dependencies) => makeAllocator(dependencies));

const countBy = (offers: readonly Seen[], key: (offer: Seen) => string): Map<string, number> => {
  const counts = new Map<string, number>();
  for (const offer of offers) counts.set(key(offer), (counts.get(key(offer)) ?? 0) + 1);
  return counts;
};

const weights = fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 6 });

describe("shares of equal agents", () => {
  it("are as the weights say, within one offer", async () => {
    await fc.assert(
      fc.asyncProperty(weights, fc.integer({ min: 1, max: 60 }), async (list, agents) => {
        const world = newWorld();
        world.allocator.updateWeights(new Map(list.map((weight, i) => [`r${i}`, weight])));
        for (const i of list.keys()) world.addFramework(`f${i}`, { roles: [`r${i}`] });
        for (let i = 0; i < agents; i++) world.addAgent(`a${i}`, "cpus:1;mem:100");
        const counts = countBy(await world.next(), ({ role }) => role);
        world.allocator.stop();
        list.forEach((weight, i) => {
          const own = counts.get(`r${i}`) ?? 0;
          list.forEach((other, j) => {
            expect((own - 1) / weight).to.be.at.most((counts.get(`r${j}`) ?? 0) / other + 1e-9);
          });
        });
      }),
      { numRuns: 60 },
    );
  });

  it("do not depend on the order in which agents and frameworks come", async () => {
    await fc.assert(
      fc.asyncProperty(weights, fc.integer({ min: 1, max: 30 }), fc.nat(), async (list, agents, seed) => {
        const add = async (turn: number) => {
          const world = newWorld();
          world.allocator.updateWeights(new Map(list.map((weight, i) => [`r${i}`, weight])));
          const jobs = [
            ...list.map((_, i) => () => world.addFramework(`f${i}`, { roles: [`r${i}`] })),
            ...Array.from({ length: agents }, (_, i) => () => world.addAgent(`a${i}`, "cpus:1;mem:100")),
          ];
          for (let i = 0; i < jobs.length; i++) jobs[(i + turn) % jobs.length]!();
          const counts = countBy(await world.next(), ({ framework }) => framework);
          world.allocator.stop();
          return Object.fromEntries([...counts].sort());
        };
        expect(await add(seed % (list.length + agents))).to.deep.equal(await add(0));
      }),
      { numRuns: 40 },
    );
  });
});

describe("guarantees", () => {
  const amounts = fc.record({ cpus: fc.integer({ min: 1, max: 9 }), mem: fc.integer({ min: 1, max: 900 }) });

  it("are satisfied whenever the cluster can satisfy them, whoever else wants everything", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(amounts, { minLength: 1, maxLength: 12 }),
        fc.array(amounts, { minLength: 1, maxLength: 4 }),
        fc.integer({ min: 0, max: 3 }),
        async (agents, wanted, greedy) => {
          const sum = (key: "cpus" | "mem", list: typeof agents) =>
            list.reduce((all, one) => all + one[key], 0);
          fc.pre(sum("cpus", wanted) <= sum("cpus", agents) && sum("mem", wanted) <= sum("mem", agents));
          const world = newWorld();
          wanted.forEach(({ cpus, mem }, i) => {
            const guarantees = new Map([
              ["cpus", cpus * 1000],
              ["mem", mem * 1000],
            ]);
            world.allocator.updateQuota(`q${i}`, { guarantees, limits: new Map() });
          });
          for (let i = 0; i < greedy; i++) {
            world.addFramework(`greedy${i}`, { info: { offer_filters: { "*": EVERYTHING } } });
          }
          for (const [i, { cpus, mem }] of agents.entries()) {
            world.addAgent(`a${i}`, `cpus:${cpus};mem:${mem};ports:[1-9]`);
          }
          // The greedy ones take what they get before the others are there.
          const offers = await world.next();
          for (const i of wanted.keys()) {
            const info = { offer_filters: { [`q${i}`]: EVERYTHING } };
            world.addFramework(`f${i}`, { roles: [`q${i}`], info });
          }
          offers.push(...(await world.during(3 * INTERVAL_MS)));
          world.allocator.stop();
          wanted.forEach(({ cpus, mem }, i) => {
            const own = offers.filter(({ role }) => role === `q${i}`);
            const total = own.reduce((all, offer) => all.add(offer.resources.unallocate()), resourcesOf(""));
            expect(total.cpus).to.be.at.least(cpus);
            expect(total.mem).to.be.at.least(mem);
          });
        },
      ),
      { numRuns: 150 },
    );
  });
});
