import { expect } from "chai";
import fc from "fast-check";
import { mergeContributions } from "../../../plugins/mesos-containerizer/contributions.js";

describe("isolators' contributions", () => {
  it("are joined in order: lists grow, records merge, single values are overruled", () => {
    const merged = mergeContributions([
      { environment: { A: "1", B: "1" }, cgroups: ["/a"], user: "one", wrap: ["nice"], namespaces: ["pid"] },
      undefined,
      {
        environment: { B: "2" },
        cgroups: ["/b"],
        user: "two",
        wrap: ["setpriv"],
        namespaces: ["pid", "ipc"],
      },
      { rlimits: { nofile: { soft: 1, hard: 2 } } },
    ]);
    expect(merged).to.deep.equal({
      environment: { A: "1", B: "2" },
      cgroups: ["/a", "/b"],
      user: "two",
      wrap: ["nice", "setpriv"],
      namespaces: ["pid", "ipc"],
      rlimits: { nofile: { soft: 1, hard: 2 } },
    });
  });

  it("never give privileges back", () => {
    expect(
      mergeContributions([{ noNewPrivileges: true }, { noNewPrivileges: false }]).noNewPrivileges,
    ).to.equal(true);
  });

  it("merge in any grouping to the same", () => {
    const contribution = fc.record(
      {
        environment: fc.dictionary(fc.constantFrom("A", "B", "C"), fc.string()),
        cgroups: fc.array(fc.string()),
        workingDirectory: fc.string(),
        preExec: fc.array(fc.string()),
        noNewPrivileges: fc.boolean(),
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(contribution, contribution, contribution, (a, b, c) => {
        const grouped = mergeContributions([mergeContributions([a, b]), c]);
        expect(grouped).to.deep.equal(mergeContributions([a, b, c]));
      }),
    );
  });
});
