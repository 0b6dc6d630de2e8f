import { expect } from "chai";
import { chosenContainerizers } from "../../../../core/agent/tasks/chosen-containerizers.js";
import type { Containerizer } from "../../../../sdk/contracts/containerizer.js";

describe("the order of containerizers", () => {
  const brought = ["mesos", "docker", "own"].map((name) => ({ name }) as Containerizer);
  const names = (flag: string): string[] => chosenContainerizers(flag, brought).map(({ name }) => name);

  it("is that of the flag, and then that of the manifest", () => {
    expect(names("docker, mesos")).to.deep.equal(["docker", "mesos", "own"]);
    expect(names("mesos")).to.deep.equal(["mesos", "docker", "own"]);
    expect(names("own,docker")).to.deep.equal(["own", "docker", "mesos"]);
  });

  it("names nothing that does not exist", () => {
    expect(() => names("mesos,rkt")).to.throw(
      "--containerizers names what does not exist: no plugin brings 'rkt'; there are 'mesos', 'docker', 'own'",
    );
  });
});
