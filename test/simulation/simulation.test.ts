import { expect } from "chai";
import { MUTATIONS, type Mutation } from "./mutations.js";
import { type SimulationResult, simulate } from "./simulation.js";

const STEPS = 120;

/** Enough for a fault of every kind in some of them; `npm run sim` runs many more. */
const SEEDS = 60;

/** Seeds within which each mistake has to be found out. */
const PATIENCE: Readonly<Record<Mutation, number>> = {
  "no-lease-check": 60,
  "no-fencing": 60,
  "write-later": 60,
  "no-recovery": 60,
  "double-delivery": 60,
};

/** Runs that found something that was wrong, with as many steps as that took; by what was wrong. */
const FOUND: Readonly<Record<string, readonly [seed: number, steps: number]>> = {};

function expectHeld({ seed, steps, failure }: SimulationResult): void {
  if (failure === undefined) return;
  const trace = failure.trace.slice(-60).join("\n");
  expect.fail(
    `seed ${seed}, step ${failure.step}: it does not hold that ${failure.invariant}\n${trace}\n${failure.detail}\n` +
      `replay: npm run sim -- --seed ${seed} --steps ${steps} --trace`,
  );
}

describe("simulated clusters", () => {
  it("hold what must hold, whatever fails", async function () {
    this.timeout(120_000);
    for (let seed = 1; seed <= SEEDS; seed++) expectHeld(await simulate({ seed, steps: STEPS }));
  });

  for (const [what, [seed, steps]] of Object.entries(FOUND)) {
    it(`hold what once did not: ${what}`, async function () {
      this.timeout(30_000);
      expectHeld(await simulate({ seed, steps }));
    });
  }

  it("repeat a run exactly from its seed", async function () {
    this.timeout(30_000);
    const digests = new Set<string>();
    for (let i = 0; i < 3; i++) digests.add((await simulate({ seed: 7, steps: STEPS })).digest);
    expect([...digests]).to.have.length(1);
    expect((await simulate({ seed: 8, steps: STEPS })).digest).to.not.equal([...digests][0]);
  });

  for (const mutation of MUTATIONS) {
    it(`find out about a mistake: ${mutation}`, async function () {
      this.timeout(120_000);
      for (let seed = 1; seed <= PATIENCE[mutation]; seed++) {
        if ((await simulate({ seed, steps: STEPS, mutation })).failure !== undefined) return;
      }
      expect.fail(`none of ${PATIENCE[mutation]} runs noticed it`);
    });
  }
});
