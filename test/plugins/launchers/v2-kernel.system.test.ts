import { expect } from "chai";
import { requireVm } from "../../support/kernel-vm.js";
import type { CaseOutcome } from "../../support/run-cases.js";
import { addCases, runTestsInVm } from "../../support/tests-in-vm.js";

const SUITES = ["linux-launcher", "linux-destroy", "linux-nested"];

describe("the linux launcher on a kernel with cgroup v2 alone", function () {
  // Without hardware acceleration.
  this.timeout(600_000);
  let cases: readonly CaseOutcome[];

  before(async function () {
    requireVm(this);
    cases = await runTestsInVm({
      specs: SUITES.map((name) => `test/plugins/launchers/${name}.system.test.js`),
      grep: "^(?!.*(100 times|fifty))",
      packages: ["zod", "@bufbuild/protobuf"],
      programs: ["perl"],
      timeoutMs: 580_000,
      memoryMb: 2048,
    });
    addCases(this.test!.parent!, cases);
  });

  it("keeps containers together, and ends all of them, as on v1", () => {
    for (const name of ["linux launcher", "destruction", "containers within"])
      expect(
        cases.filter(({ title, outcome }) => title.includes(name) && outcome === "passed"),
        name,
      ).not.to.be.empty;
    expect(cases.filter(({ outcome }) => outcome === "skipped")).to.deep.equal([]);
  });
});
