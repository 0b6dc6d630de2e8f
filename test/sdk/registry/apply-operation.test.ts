import { expect } from "chai";
import fc from "fast-check";
import { Registry } from "../../../proto/gen/mesos/internal/registry.js";
import {
  AgentInfo,
  DrainState,
  MachineInfo_Mode,
  MasterInfo_Capability_Type,
} from "../../../proto/gen/mesos/v1/mesos.js";
import {
  applyOperation,
  emptyFacts,
  factsOf,
  missingCapabilities,
  stateOf,
} from "../../../sdk/registry/index.js";
import { anyOperation } from "./any-operation.js";

/** Long enough for an agent to be admitted, lost and found again. */
const history = fc.array(anyOperation, { maxLength: 40, size: "max" });

const bytes = (facts: ReturnType<typeof emptyFacts>): string =>
  Buffer.from(Registry.encode(stateOf(facts)).finish()).toString("hex");

describe("registry operations", () => {
  it("return true exactly when the state changed", () => {
    fc.assert(
      fc.property(history, (operations) => {
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
      fc.property(history, (operations) => {
        const facts = emptyFacts();
        for (const operation of operations) applyOperation(facts, operation);
        const all = [...facts.admitted.keys(), ...facts.unreachable.keys(), ...facts.gone.keys()];
        expect(new Set(all).size).to.equal(all.length);
      }),
    );
  });

  it("give the same result on a state that was encoded and decoded", () => {
    fc.assert(
      fc.property(history, history, (first, second) => {
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

  it("keep draining and deactivation when an agent moves to another list", () => {
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

  it("leave everything else unchanged", () => {
    const facts = factsOf(Registry.fromPartial({ minimum_capabilities: [{ capability: "QUOTA_V2" }] }));
    applyOperation(facts, { kind: "admit-agent", agent: AgentInfo.fromPartial({ id: { value: "a" } }) });
    expect(stateOf(facts).minimum_capabilities).to.deep.equal([{ capability: "QUOTA_V2" }]);
  });

  it("mark an agent gone from either list, once, and never let it back", () => {
    const facts = admitted("a", "b");
    const time = { nanoseconds: 5n };
    applyOperation(facts, { kind: "mark-agent-unreachable", agentId: { value: "b" }, time: {} });
    for (const id of ["a", "b"]) {
      expect(applyOperation(facts, { kind: "mark-agent-gone", agentId: { value: id }, time })).to.equal(true);
      expect(applyOperation(facts, { kind: "mark-agent-gone", agentId: { value: id }, time })).to.equal(
        false,
      );
      const agent = AgentInfo.fromPartial({ id: { value: id } });
      expect(applyOperation(facts, { kind: "mark-agent-reachable", agent })).to.equal(false);
    }
    expect([...facts.gone.values()]).to.deep.equal([
      { id: { value: "a" }, timestamp: time },
      { id: { value: "b" }, timestamp: time },
    ]);
  });

  it("drain, drained, reactivated: and a master needs AGENT_DRAINING for as long as an agent is deactivated", () => {
    const facts = admitted("a", "b");
    const needed = () => stateOf(facts).minimum_capabilities.map(({ capability }) => capability);
    const config = { mark_gone: false, max_grace_period: { nanoseconds: 1n } };
    applyOperation(facts, { kind: "drain-agent", agentId: { value: "a" }, config });
    applyOperation(facts, { kind: "deactivate-agent", agentId: { value: "b" } });
    expect(facts.admitted.get("a")).to.deep.include({
      deactivated: true,
      drain_info: { state: DrainState.DRAINING, config },
    });
    expect(needed()).to.deep.equal(["AGENT_DRAINING"]);
    applyOperation(facts, { kind: "mark-agent-drained", agentId: { value: "a" } });
    expect(facts.admitted.get("a")?.drain_info).to.deep.equal({ state: DrainState.DRAINED, config });
    expect(applyOperation(facts, { kind: "mark-agent-drained", agentId: { value: "b" } })).to.equal(false);
    applyOperation(facts, { kind: "reactivate-agent", agentId: { value: "a" } });
    expect(needed()).to.deep.equal(["AGENT_DRAINING"]);
    applyOperation(facts, { kind: "reactivate-agent", agentId: { value: "b" } });
    expect(needed()).to.deep.equal([]);
  });

  it("schedule machines, take them down, bring them up and off the schedule", () => {
    const facts = emptyFacts();
    const [one, two] = [{ hostname: "h1", ip: "10.0.0.1" }, { hostname: "h2" }];
    const unavailability = { start: { nanoseconds: 9n } };
    const schedule = { windows: [{ machine_ids: [one, two], unavailability }] };
    applyOperation(facts, { kind: "update-maintenance-schedule", schedule });
    applyOperation(facts, { kind: "start-maintenance", machines: [{ hostname: "H1", ip: "10.0.0.1" }] });
    const modes = () => stateOf(facts).machines?.machines.map(({ info }) => [info?.id, info?.mode]);
    expect(modes()).to.deep.equal([
      [one, MachineInfo_Mode.DOWN],
      [two, MachineInfo_Mode.DRAINING],
    ]);
    applyOperation(facts, {
      kind: "update-maintenance-schedule",
      schedule: { windows: [{ machine_ids: [one], unavailability: {} }] },
    });
    expect(modes()).to.deep.equal([[one, MachineInfo_Mode.DOWN]]);
    applyOperation(facts, { kind: "stop-maintenance", machines: [one] });
    expect(modes()).to.equal(undefined);
    expect(stateOf(facts).schedules).to.deep.equal([]);
  });

  it("say which capabilities a master lacks to read a registry", () => {
    const needed = [{ capability: "AGENT_DRAINING" }, { capability: "FROM_THE_FUTURE" }];
    const capabilities = [{ type: MasterInfo_Capability_Type.AGENT_DRAINING }];
    expect(missingCapabilities(needed, { capabilities })).to.deep.equal(["FROM_THE_FUTURE"]);
  });
});

function admitted(...ids: string[]): ReturnType<typeof emptyFacts> {
  const facts = emptyFacts();
  for (const value of ids) {
    applyOperation(facts, { kind: "admit-agent", agent: AgentInfo.fromPartial({ id: { value } }) });
  }
  return facts;
}
