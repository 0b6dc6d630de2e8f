import { expect } from "chai";
import { isolationNames, presentIsolation } from "../../../sdk/isolation/index.js";

describe("old names of isolators", () => {
  it("stand for those of today, each once, in the order given", () => {
    expect(presentIsolation("process,cgroups,disk/du,mem")).to.deep.equal({
      text: "posix/cpu,posix/mem,cgroups/cpu,cgroups/mem,disk/du",
      deprecation:
        "deprecated names of isolators: 'process' is now 'posix/cpu,posix/mem'; 'cgroups' is now 'cgroups/cpu,cgroups/mem'; 'mem' is now 'cgroups/mem'",
    });
    expect([...isolationNames(" cpu , cgroups/mem,,cpu")]).to.deep.equal(["cgroups/cpu", "cgroups/mem"]);
  });

  it("leave others as they are", () => {
    expect(presentIsolation("posix/cpu,acme/license,constructor")).to.deep.equal({
      text: "posix/cpu,acme/license,constructor",
      deprecation: undefined,
    });
    expect(presentIsolation("").text).to.equal("");
  });
});
