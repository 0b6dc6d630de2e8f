import { expect } from "chai";
import { hostInfo } from "../../../core/agent/host-info.js";
import type { AgentOptions } from "../../../core/agent/options.js";

const FLAGS = {
  resources: "cpus:4",
  attributes: "rack:r1",
  defaultRole: "*",
  workDir: "/srv",
} as AgentOptions;

describe("the AgentInfo of an agent", () => {
  it("says that it checkpoints, without which masters drop a registration with reservations", async () => {
    const info = await hostInfo({ agent: FLAGS, detectors: [], hostname: "agent.example", port: 5051 });
    expect(info.checkpoint).to.equal(true);
  });

  it("has what the flags say, and asks detectors only for the rest", async () => {
    const asked: string[][] = [];
    const info = await hostInfo({
      agent: FLAGS,
      detectors: [
        {
          detect: async ({ given }) => {
            asked.push([...given]);
            return [];
          },
        },
      ],
      hostname: "agent.example",
      port: 5051,
    });
    expect(asked).to.deep.equal([["cpus"]]);
    expect(info.resources.map(({ name, scalar }) => [name, scalar?.value])).to.deep.equal([["cpus", 4]]);
    expect(info.attributes.map(({ name, text }) => [name, text?.value])).to.deep.equal([["rack", "r1"]]);
  });

  it("is in the fault domain that the flag says", async () => {
    const domain = { fault_domain: { region: { name: "eu" }, zone: { name: "eu-1" } } };
    const at = { detectors: [], hostname: "agent.example", port: 5051 };
    expect((await hostInfo({ agent: { ...FLAGS, domain }, ...at })).domain).to.deep.equal(domain);
    expect((await hostInfo({ agent: FLAGS, ...at })).domain).to.equal(undefined);
  });

  it("has whole GPUs only", async () => {
    const refused = await hostInfo({
      agent: { ...FLAGS, resources: "gpus:1.5" },
      detectors: [],
      hostname: "agent.example",
      port: 5051,
    }).then(() => "taken", String);
    expect(refused).to.match(/The 'gpus' resource must be an unsigned integer/);
  });
});
