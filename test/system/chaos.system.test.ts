import { expect } from "chai";
import { runChaos } from "../soak/chaos/chaos.js";
import { requireZooKeeper } from "../support/zookeeper-ensemble.js";

/** A short one of what `npm run soak -- chaos` does for as long as one likes. */
describe("masters, agents, frameworks and ZooKeeper servers that are killed and frozen at random", function () {
  this.timeout(400_000);

  it("lose no task, run none twice, and agree on what runs in the end", async function () {
    requireZooKeeper(this);
    const { faults, tasks, events } = await runChaos({ milliseconds: 30_000, seed: 5 });
    expect(faults, events.join("\n")).to.deep.equal([]);
    expect(tasks).to.be.greaterThan(6);
  });
});
