import { expect } from "chai";
import { masterConfig, optionsOf } from "../../../core/master/config.js";

describe("the master's configuration", () => {
  it("has Mesos's defaults", () => {
    const options = optionsOf(masterConfig.parse({}));
    expect(options).to.deep.include({
      agentPingTimeout: 15_000,
      maxAgentPingTimeouts: 5,
      agentReregisterTimeout: 600_000,
      offerTimeout: undefined,
      rootSubmissions: true,
      maxCompletedFrameworks: 50,
      maxCompletedTasksPerFramework: 1000,
      registryMaxAgentCount: 102_400,
    });
  });

  it("takes Mesos's texts", () => {
    const options = optionsOf(
      masterConfig.parse({
        agent_removal_rate_limit: "2/10mins",
        recovery_agent_removal_limit: "50%",
        offer_timeout: "2mins",
        roles: "dev,prod",
        weights: "dev=2,prod=0.5",
      }),
    );
    expect(options.agentRemovalRateLimit).to.deep.equal({ count: 2, per: 600_000 });
    expect(options.recoveryAgentRemovalLimit).to.equal(0.5);
    expect(options.offerTimeout).to.equal(120_000);
    expect([...options.roles!]).to.deep.equal(["dev", "prod"]);
    expect([...options.weights]).to.deep.equal([
      ["dev", 2],
      ["prod", 0.5],
    ]);
  });

  it("refuses nonsensical values", () => {
    const wrong = [
      { agent_ping_timeout: "1hrs" },
      { agent_reregister_timeout: "1mins" },
      { max_agent_ping_timeouts: 0 },
      { agent_removal_rate_limit: "often" },
      { recovery_agent_removal_limit: "150%" },
      { weights: "dev" },
      { weights: "dev=-1" },
      { weights: "dev=1,dev=2" },
      { domain: {} },
      { domain: { fault_domain: { region: { name: "eu" } } } },
      { unheard_of: 1 },
    ];
    for (const config of wrong) {
      expect(masterConfig.safeParse(config).success, JSON.stringify(config)).to.equal(false);
    }
  });
});
