import { expect } from "chai";
import { killAgents } from "../soak/agent-kills/agent-kills.js";
import { KIND_NAMES, type KindName } from "../soak/agent-kills/task-kinds.js";

const ON_ANY_HOST: readonly KindName[] = ["command", "ended", "checked", "pod", "v1"];

/** A short one of what `npm run soak -- agent-kills` does for as long as one likes. */
describe("an agent that is killed at random moments", function () {
  this.timeout(300_000);

  for (const [launcher, kills, kinds] of [
    ["linux", 4, KIND_NAMES],
    ["posix", 3, ON_ANY_HOST],
  ] as const) {
    it(`loses, repeats and leaves behind nothing of its tasks (${launcher} launcher)`, async function () {
      const { tasks, faults } = await killAgents({ kills, kinds, launcher, seed: kills }, this);
      expect(faults).to.deep.equal([]);
      expect(tasks).to.be.greaterThan(kills);
    });
  }
});
