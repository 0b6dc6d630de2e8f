import { expect } from "chai";
import fc from "fast-check";
import { Registry } from "../../../proto/gen/mesos/internal/registry.js";
import { AgentInfo } from "../../../proto/gen/mesos/v1/mesos.js";
import { applyOperation, emptyFacts, factsOf, stateOf } from "../../../sdk/registry/index.js";
import { anyOperation } from "./any-operation.js";

const bytes = (facts: ReturnType<typeof emptyFacts>): string =>
  Buffer.from(Registry.encode(stateOf(facts)).finish()).toString("hex");

describe("registry operations", () => {
  it("say true exactly when the state is another one", () => {
    fc.assert(
      fc.property(fc.array(anyOperation), (operations) => {
        const facts = emptyFacts();
        for (const operation of operations) {
          const before = bytes(facts);
          expect(applyOperation(facts, operation)).to.equal(bytes(facts) !== before);
        }
      }),
    );
  });

  it("never put an agent on two lists", () => {
    fc.assert(
      fc.property(fc.array(anyOperation), (operations) => {
        const facts = emptyFacts();
        for (const operation of operations) applyOperation(facts, operation);
        const all = [...facts.admitted.keys(), ...facts.unreachable.keys(), ...facts.gone.keys()];
        expect(new Set(all).size).to.equal(all.length);
      }),
    );
  });

  it("give the same from a state that was written and read back", () => {
    fc.assert(
      fc.property(fc.array(anyOperation), fc.array(anyOperation), (first, second) => {
        const straight = emptyFacts();
        for (const operation of first) applyOperation(straight, operation);
        const reread = factsOf(Registry.decode(Registry.encode(stateOf(straight)).finish()));
        for (const operation of second) {
          expect(applyOperation(reread, operation)).to.equal(applyOperation(straight, operation));
        }
        expect(bytes(reread)).to.equal(bytes(straight));
      }),
    );
  });

  it("carry draining and deactivation from list to list", () => {
    const drained = { state: 1, config: undefined };
    const facts = factsOf(
      Registry.fromPartial({
        slaves: { slaves: [{ info: { id: { value: "a" } }, deactivated: true, drain_info: drained }] },
      }),
    );
    applyOperation(facts, { kind: "mark-agent-unreachable", agentId: { value: "a" }, time: {} });
    expect(facts.unreachable.get("a")).to.deep.include({ deactivated: true, drain_info: drained });
    applyOperation(facts, {
      kind: "mark-agent-reachable",
      agent: AgentInfo.fromPartial({ id: { value: "a" } }),
    });
    expect(facts.admitted.get("a")).to.deep.include({ deactivated: true, drain_info: drained });
  });

  it("keep what they do not touch", () => {
    const facts = factsOf(Registry.fromPartial({ minimum_capabilities: [{ capability: "QUOTA_V2" }] }));
    applyOperation(facts, { kind: "admit-agent", agent: AgentInfo.fromPartial({ id: { value: "a" } }) });
    expect(stateOf(facts).minimum_capabilities).to.deep.equal([{ capability: "QUOTA_V2" }]);
  });
});
