import { expect } from "chai";
import { requireVm } from "../../support/kernel-vm.js";
import type { CaseOutcome } from "../../support/run-cases.js";
import { addCases, runTestsInVm } from "../../support/tests-in-vm.js";

const SUITES = ["devices", "io-and-network", "life", "limits"];

describe("node-cgroup on a kernel with cgroup v2 alone", function () {
  this.timeout(600_000);
  let cases: readonly CaseOutcome[];

  before(async function () {
    requireVm(this);
    cases = await runTestsInVm({
      specs: SUITES.map((name) => `test/sdk/node-cgroup/${name}.system.test.js`),
      programs: ["perl", "losetup"],
      modules: ["loop"],
      timeoutMs: 580_000,
    });
    addCases(this.test!.parent!, cases);
  });

  it("runs every case of every suite", () => {
    for (const word of ["devices", "I/O", "life", "limits"])
      expect(
        cases.filter(({ title }) => title.includes(word)),
        word,
      ).not.to.be.empty;
    expect(cases.filter(({ outcome }) => outcome === "skipped")).to.deep.equal([]);
    expect(cases.filter(({ title }) => title.endsWith("(v2)"))).not.to.be.empty;
    expect(cases.filter(({ title }) => title.endsWith("(v1)"))).to.be.empty;
  });
});
