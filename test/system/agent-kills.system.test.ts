import { expect } from "chai";
import { killAgents } from "../soak/agent-kills.js";

/** A short one of what `npm run soak -- agent-kills` does for as long as one likes. */
describe("an agent that is killed at random moments", function () {
  this.timeout(300_000);

  for (const [launcher, kills] of [
    ["linux", 6],
    ["posix", 4],
  ] as const) {
    it(`loses, repeats and leaves behind nothing of its tasks (${launcher} launcher)`, async () => {
      const { tasks, faults } = await killAgents({ kills, launcher, seed: kills });
      expect(faults).to.deep.equal([]);
      expect(tasks).to.be.greaterThan(kills);
    });
  }
});
