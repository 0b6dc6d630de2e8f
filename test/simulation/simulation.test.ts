import { expect } from "chai";
import { MUTATIONS } from "./mutations.js";
import { type SimulationResult, simulate } from "./simulation.js";

const STEPS = 150;

/** Enough for a fault of every kind in some of them; `npm run sim` runs many more. */
const SEEDS = 60;

/** Seeds within which each mistake has to be found out. */
const PATIENCE = 150;

/** Runs that found something that was wrong: the first of them, by what it was. */
const FOUND: Readonly<Record<string, number>> = {
  "a master that goes on after a stop does not act by a lease that has run out": 12,
  "what a broken link alone took from a framework without checkpoints is not given twice": 14,
  "a task that is killed while it is launched is not over before its container is": 175,
  "no acknowledged status is followed by an older one": 504,
  "a master that was deposed while it read the registry does not shut the leader out": 2759,
  "what is not in an older report of an agent is not given twice once a later one has it": 3014,
  "launches of an earlier term do not reach agents in a later one of the same master": 3800,
};

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

  for (const [what, seed] of Object.entries(FOUND)) {
    it(`know that ${what}`, async function () {
      this.timeout(30_000);
      expectHeld(await simulate({ seed, steps: 200 }));
    });
  }

  it("repeat a run exactly from its seed", async function () {
    this.timeout(30_000);
    const digests = new Set<string>();
    for (let i = 0; i < 3; i++) digests.add((await simulate({ seed: 7, steps: STEPS })).digest);
    expect([...digests]).to.have.length(1);
    expect((await simulate({ seed: 8, steps: STEPS })).digest).to.not.equal([...digests][0]);
  });

  // The registry's fence is the second line, behind the lease: a few hundred runs do not get past the first. `test/sdk/registry` holds it.
  for (const mutation of MUTATIONS.filter((each) => each !== "no-fencing")) {
    it(`find out about a mistake: ${mutation}`, async function () {
      this.timeout(120_000);
      for (let seed = 1; seed <= PATIENCE; seed++) {
        if ((await simulate({ seed, steps: STEPS, mutation })).failure !== undefined) return;
      }
      expect.fail(`none of ${PATIENCE} runs noticed it`);
    });
  }
});
