import { expect } from "chai";
import { requireVm } from "../../support/kernel-vm.js";
import { requirePart } from "../../support/require-part.js";
import type { CaseOutcome } from "../../support/run-cases.js";
import { addCases, runTestsInVm } from "../../support/tests-in-vm.js";

describe("a kernel with quotas of XFS", function () {
  this.timeout(600_000);
  let cases: readonly CaseOutcome[];

  before(async function () {
    requireVm(this);
    requirePart(this, "xfs_quota", "xfsprogs");
    cases = await runTestsInVm({
      specs: ["test/plugins/disk-isolators/xfs-suite.js"],
      packages: ["reflect-metadata", "tsyringe", "yaml", "zod", "@bufbuild/protobuf"],
      programs: ["mkfs.xfs", "xfs_quota", "xfs_io"],
      modules: ["loop", "xfs"],
      memoryMb: 1536,
      timeoutMs: 580_000,
    });
    addCases(this.test!.parent!, cases);
  });

  it("runs every case", () => {
    expect(cases.filter(({ outcome }) => outcome !== "skipped")).to.have.length(cases.length);
    expect(cases).to.have.length(6);
  });
});
