import { expect } from "chai";
import { attachAndLetGo } from "../soak/attachments.js";
import { requirePart, requireThat } from "../support/require-part.js";

/** A short one of what `npm run soak -- attachments` does a thousand times. */
describe("clients that attach, and vanish", function () {
  this.timeout(180_000);

  for (const [launcher, cycles] of [
    ["posix", 200],
    ["linux", 100],
  ] as const) {
    it(`leave no process, terminal or open file behind (${launcher} launcher, ${cycles} times)`, async function () {
      requirePart(this, "perl", "perl-base");
      if (launcher === "linux") requireThat(this, process.geteuid?.() === 0, "the linux launcher needs root");
      const { ends, faults } = await attachAndLetGo({ cycles, launcher, seed: cycles });
      expect(faults).to.deep.equal([]);
      expect(ends).to.have.all.keys("attachments ended", "attachments cut", "sessions ended", "sessions cut");
    });
  }
});
