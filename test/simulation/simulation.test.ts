import { expect } from "chai";
import { MUTATION_FAULTS, MUTATIONS } from "./mutations.js";
import { type SimulationResult, simulate } from "./simulation.js";

const STEPS = 150;

/** Enough for every kind of fault to occur; `npm run sim` runs many more. */
const SEEDS = 50;

/** Runs that once found a mistake. A later change may make others of them; what they found has directed tests, too. */
const FOUND = [2759, 7194, 8710, 9009, 9039, 80848];

/** Of wide runs; enough for most of what they add. */
const WIDE_SEEDS = 5;

/** Enough to notice a missing fence. */
const FENCED_SEEDS = 30;

/** Number of seeds within which each mutation has to be detected. */
const PATIENCE = 150;

function expectHeld({ seed, steps, failure }: SimulationResult, flags = ""): void {
  if (failure === undefined) return;
  const trace = failure.trace.slice(-60).join("\n");
  expect.fail(
    `seed ${seed}, step ${failure.step}: it does not hold that ${failure.invariant}\n${trace}\n${failure.detail}\n` +
      `replay: npm run sim -- --seed ${seed} --steps ${steps}${flags} --trace`,
  );
}

describe("simulated clusters", () => {
  it("hold what must hold, whatever fails", async function () {
    this.timeout(240_000);
    for (let seed = 1; seed <= SEEDS; seed++) expectHeld(await simulate({ seed, steps: STEPS }));
  });

  it("hold in the runs that once found a mistake", async function () {
    this.timeout(120_000);
    for (const seed of FOUND) expectHeld(await simulate({ seed, steps: STEPS }));
  });

  it("hold what must hold also where more can happen to them", async function () {
    this.timeout(120_000);
    for (let seed = 1; seed <= WIDE_SEEDS; seed++)
      expectHeld(await simulate({ seed, steps: STEPS, wide: true }), " --wide");
  });

  it("repeat a run exactly from its seed", async function () {
    this.timeout(120_000);
    const digests = new Set<string>();
    for (let i = 0; i < 3; i++) digests.add((await simulate({ seed: 7, steps: STEPS })).digest);
    expect([...digests]).to.have.length(1);
    expect((await simulate({ seed: 8, steps: STEPS })).digest).to.not.equal([...digests][0]);
  });

  // What reveals mutations in the tests below must not violate invariants by itself.
  it("hold where their leaders lose ZooKeeper just when something is asked of them", async function () {
    this.timeout(240_000);
    const faults = MUTATION_FAULTS["no-fencing"]!;
    for (let seed = 1; seed <= FENCED_SEEDS; seed++)
      expectHeld(await simulate({ seed, steps: STEPS, faults }));
  });

  for (const mutation of MUTATIONS) {
    it(`find out about a mistake: ${mutation}`, async function () {
      this.timeout(240_000);
      for (let seed = 1; seed <= PATIENCE; seed++) {
        if ((await simulate({ seed, steps: STEPS, mutation })).failure !== undefined) return;
      }
      expect.fail(`none of ${PATIENCE} runs noticed it`);
    });
  }
});
