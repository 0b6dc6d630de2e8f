import { stripVTControlCharacters } from "node:util";
import { expect } from "chai";
import { type Explanation, explanationText } from "../../../bin/commands/explain-text.js";

const role = (more: Partial<Explanation["roles"][number]> = {}): Explanation["roles"][number] => ({
  role: "dev",
  role_share: { dominant_share: 0.25, weight: 2, position: 3, of: 4 },
  framework_share: { weight: 1, of: 1 },
  held: { cpus: 1.5, mem: 64 },
  offerable_agents: 0,
  agents_in_maintenance: 0,
  reasons: [],
  ...more,
});

const text = (roles: Explanation["roles"], agents = 10): string[] => {
  const framework = { id: "f-0000", name: "web", active: true, connected: true };
  return stripVTControlCharacters(explanationText({ framework, agents, roles })).split("\n");
};

const reason = { code: "FILTERED", text: "7 agents are refused", advice: "Send REVIVE.", agents: 7 };

describe("the text of an explanation", () => {
  it("has everything that is known of a role", () => {
    const examples = ["S0", "S1", "S2", "S3", "S4", "S5", "S6"];
    const filter_ends_in = { first: 1.2, last: null };
    const filtered = { ...reason, examples, filter_ends_in };
    const limits = [{ role: "dev", resource: "cpus", consumed: 1.5, bound: 2 }];
    const limited = {
      code: "QUOTA_LIMIT",
      text: "2 agents are free",
      advice: "",
      agents: 2,
      examples: [],
      limits,
    };
    const held_for = [{ role: "ops", resource: "mem", consumed: 0, bound: 100 }];
    const headroom = { ...limited, code: "QUOTA_HEADROOM", limits: undefined, held_for };
    expect(
      text([role({ reasons: [filtered, limited, headroom], agents_in_maintenance: 1, offerable_agents: 1 })]),
    ).to.deep.equal([
      "framework web f-0000: active; the cluster has 10 agents",
      "",
      "role dev",
      "  1 of 10 agents can be offered by the next run; for the others:",
      "  holds      cpus:1.5; mem:64",
      "  share      of the role 25.0 %, weight 2, number 3 of 4 roles in line",
      "             of the framework unknown, weight 1, not in line",
      "  maintenance scheduled on 1 agent",
      "  - 7 agents are refused [FILTERED]",
      "    filters end in 2secs to never",
      "    agents: S0, S1, S2, S3, S4 and 2 more",
      "    what to do: Send REVIVE.",
      "  - 2 agents are free [QUOTA_LIMIT]",
      "    cpus of role dev: limit 2, used or offered 1.5",
      "  - 2 agents are free [QUOTA_HEADROOM]",
      "    mem of role ops: guaranteed 100, has 0",
      "",
    ]);
  });

  it("says in a line how it stands", () => {
    const headline = (...args: Parameters<typeof text>) => text(...args)[3];
    expect(headline([role({ offerable_agents: 10 })])).to.match(/Everything is fine/);
    expect(headline([role()])).to.match(/Nothing can be offered now/);
    expect(headline([role()], 0)).to.match(/There is no agent/);
    const suppressed = { ...reason, code: "SUPPRESSED", agents: 0, examples: [] };
    expect(headline([role({ offerable_agents: 10, reasons: [suppressed] })])).to.match(
      /Nothing can be offered/,
    );
    expect(text([]).join(" ")).to.match(/It has no roles/);
  });
});
