import assert from "node:assert/strict";
import { INTERVAL_MS, type MakeAllocator, resourcesOf, World } from "./allocator-world.js";
import type { SuiteCase } from "./suite-case.js";

interface User {
  readonly name: string;
  /** What one of its tasks needs. */
  readonly task: string;
  readonly weight?: number;
}

interface Example {
  readonly name: string;
  readonly total: string;
  readonly users: readonly User[];
  /** How many tasks each user runs in the end. */
  readonly tasks: Readonly<Record<string, number>>;
}

/** Memory in megabytes, so that 18 GB are 18,000. */
const EXAMPLES: readonly Example[] = [
  {
    name: "the paper's example: 9 cpus and 18 GB give three tasks of 1 cpu and 4 GB, two of 3 cpus and 1 GB",
    total: "cpus:9;mem:18000",
    users: [
      { name: "A", task: "cpus:1;mem:4000" },
      { name: "B", task: "cpus:3;mem:1000" },
    ],
    tasks: { A: 3, B: 2 },
  },
  {
    name: "users of equal needs get equal parts",
    total: "cpus:12;mem:12000",
    users: [
      { name: "A", task: "cpus:1;mem:1000" },
      { name: "B", task: "cpus:1;mem:1000" },
      { name: "C", task: "cpus:1;mem:1000" },
    ],
    tasks: { A: 4, B: 4, C: 4 },
  },
  {
    name: "a user of double weight gets double the dominant share",
    total: "cpus:9;mem:9000",
    users: [
      { name: "A", task: "cpus:1;mem:100", weight: 2 },
      { name: "B", task: "cpus:1;mem:100" },
    ],
    tasks: { A: 6, B: 3 },
  },
  {
    name: "weights apply to dominant shares of different resources",
    total: "cpus:30;mem:30000",
    users: [
      { name: "A", task: "cpus:2;mem:1000", weight: 2 },
      { name: "B", task: "cpus:1;mem:2000" },
    ],
    tasks: { A: 12, B: 6 },
  },
];

/** The worked example of the paper on dominant resource fairness (NSDI 2011, section 4.1) and variants with weights. */
export function allocatorPaper(make: MakeAllocator): SuiteCase[] {
  return EXAMPLES.map((example) => ({
    name: `fairness: ${example.name}`,
    run: async () => assert.deepEqual(await play(example, make), example.tasks),
  }));
}

/** Every user takes one task out of each offer and gives back the rest at once, until nobody can run another. */
async function play({ total, users }: Example, make: MakeAllocator): Promise<Record<string, number>> {
  const world = new World(make);
  world.allocator.updateWeights(new Map(users.map(({ name, weight = 1 }) => [name, weight])));
  for (const { name } of users) world.addFramework(name, { roles: [name] });
  world.addAgent("agent", total);
  const tasks = Object.fromEntries(users.map(({ name }) => [name, 0]));
  for (;;) {
    const offers = await world.during(INTERVAL_MS);
    if (offers.length === 0) break;
    for (const offer of offers) {
      const user = users.find(({ name }) => name === offer.framework);
      const task = resourcesOf(user?.task ?? "").allocate(offer.role);
      if (offer.resources.contains(task)) {
        tasks[offer.framework] = (tasks[offer.framework] ?? 0) + 1;
        world.giveBack({ ...offer, resources: offer.resources.subtract(task) }, 0);
      } else {
        world.allocator.suppress(offer.framework, []);
        world.giveBack(offer, 0);
      }
    }
  }
  world.allocator.stop();
  return tasks;
}
