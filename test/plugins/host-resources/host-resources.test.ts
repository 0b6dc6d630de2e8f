import { expect } from "chai";
import { HOST, HostResources } from "../../../plugins/host-resources/host-resources.js";
import { Resources } from "../../../sdk/resources/index.js";

const MB = 1024 * 1024;

async function detect(
  facts: { cpus?: number; memory?: number; disk?: number },
  given: string[] = [],
): Promise<string> {
  const host = new HostResources({
    cpus: () => facts.cpus ?? 4,
    memory: () => (facts.memory ?? 8192) * MB,
    disk: async () => (facts.disk ?? 51_200) * MB,
  });
  return Resources.of(await host.detect({ workDir: "/srv", given: new Set(given) })).toString();
}

describe("host resources", () => {
  it("leave a gigabyte of memory and five of disk to a large host", async () => {
    expect(await detect({})).to.equal("cpus:4; mem:7168; disk:46080; ports:[31000-32000]");
  });

  it("leave half to a small one", async () => {
    expect(await detect({ cpus: 0, memory: 1000, disk: 4096 })).to.equal(
      "cpus:1; mem:500; disk:2048; ports:[31000-32000]",
    );
  });

  it("have Mesos's defaults where the host does not say", async () => {
    expect(await detect({ memory: 0, disk: 0 })).to.match(/mem:1024; disk:10240/);
  });

  it("are not detected where they are given", async () => {
    expect(await detect({}, ["cpus", "ports", "disk"])).to.equal("mem:7168");
  });

  it("of this host can be read", async () => {
    expect(HOST.cpus()).to.be.greaterThan(0);
    expect(HOST.memory()).to.be.greaterThan(0);
    expect(await HOST.disk("/")).to.be.greaterThan(0);
  });
});
