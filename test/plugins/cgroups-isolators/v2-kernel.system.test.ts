import { expect } from "chai";
import { requireVm } from "../../support/kernel-vm.js";
import type { CaseOutcome } from "../../support/run-cases.js";
import { addCases, runTestsInVm } from "../../support/tests-in-vm.js";

const SUITES = ["controllers", "cpu", "devices", "memory", "recovery"];

describe("the cgroup isolators on a kernel with cgroup v2 alone", function () {
  // Without hardware acceleration.
  this.timeout(600_000);
  let cases: readonly CaseOutcome[];

  before(async function () {
    requireVm(this);
    cases = await runTestsInVm({
      specs: SUITES.map((name) => `test/plugins/cgroups-isolators/${name}.system.test.js`),
      packages: ["zod", "@bufbuild/protobuf"],
      programs: ["perl", "env"],
      timeoutMs: 580_000,
      memoryMb: 2048,
    });
    addCases(this.test!.parent!, cases);
  });

  it("pass all that they pass on v1", () => {
    for (const name of ["cgroups/cpu", "cgroups/mem", "cgroups/devices", "cgroups/pids", "that starts anew"])
      expect(
        cases.filter(({ title, outcome }) => title.includes(name) && outcome === "passed"),
        name,
      ).not.to.be.empty;
    expect(cases.filter(({ outcome }) => outcome === "skipped")).to.deep.equal([]);
  });
});
