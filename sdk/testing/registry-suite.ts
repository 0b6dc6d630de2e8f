import assert from "node:assert/strict";
import type { Registry as RegistryState } from "../../proto/gen/mesos/internal/registry.js";
import { AgentInfo, MasterInfo } from "../../proto/gen/mesos/v1/mesos.js";
import type { Registry } from "../contracts/registry.js";
import { casesOf, type SuiteCase } from "./suite-case.js";

/** A registry under test, and how to get rid of it. */
export interface RegistrySubject {
  readonly registry: Registry;
  /** Ends it and makes another that finds what this one stored; absent for registries that store nothing. */
  reopen?(): Promise<RegistrySubject>;
  close(): Promise<void>;
}

export type MakeRegistry = () => Promise<RegistrySubject>;

const master = (id: string): MasterInfo => MasterInfo.fromPartial({ id, pid: `master@127.0.0.1:${id}` });

const agent = (id: string, hostname = `${id}.example`): AgentInfo =>
  AgentInfo.fromPartial({ id: { value: id }, hostname, port: 5051 });

const time = (nanoseconds: number) => ({ nanoseconds: BigInt(nanoseconds) });

/** The lists as agent ids, in their order. */
function lists(state: RegistryState): { admitted: string[]; unreachable: string[]; gone: string[] } {
  return {
    admitted: (state.slaves?.slaves ?? []).map(({ info }) => info?.id?.value ?? ""),
    unreachable: (state.unreachable?.slaves ?? []).map(({ id }) => id?.value ?? ""),
    gone: (state.gone?.slaves ?? []).map(({ id }) => id?.value ?? ""),
  };
}

/** What any Registry must do. Every case gets a registry of its own. */
export function registrySuite(make: MakeRegistry): SuiteCase[] {
  const cases: SuiteCase[] = [];
  const caseOf = casesOf(make);

  /** A case that reads the outcome through a second recovery, which any registry allows. */
  const test = (name: string, body: (registry: Registry) => Promise<void>): void => {
    cases.push(caseOf(name, ({ registry }) => body(registry)));
  };

  /** A case about what survives; left out for registries that store nothing. */
  const durable = (
    name: string,
    body: (registry: Registry) => Promise<void>,
    check: (state: RegistryState) => void,
  ): void => {
    cases.push({
      name,
      run: async () => {
        let subject = await make();
        try {
          await body(subject.registry);
          if (subject.reopen === undefined) return;
          subject = await subject.reopen();
          check(await subject.registry.recover(master("2")));
        } finally {
          await subject.close();
        }
      },
    });
  };

  test("is empty at first, but for who leads", async (registry) => {
    const state = await registry.recover(master("1"));
    assert.deepEqual(lists(state), { admitted: [], unreachable: [], gone: [] });
    assert.equal(state.master?.info?.id, "1");
  });

  test("says whether an operation changed anything", async (registry) => {
    await registry.recover(master("1"));
    const agentId = { value: "a" };
    assert.equal(await registry.apply({ kind: "update-agent", agent: agent("a") }), false);
    assert.equal(await registry.apply({ kind: "remove-agent", agentId }), false);
    assert.equal(await registry.apply({ kind: "admit-agent", agent: agent("a") }), true);
    assert.equal(await registry.apply({ kind: "admit-agent", agent: agent("a") }), false);
    assert.equal(await registry.apply({ kind: "update-agent", agent: agent("a") }), false);
    assert.equal(await registry.apply({ kind: "update-agent", agent: agent("a", "new.example") }), true);
    assert.equal(await registry.apply({ kind: "mark-agent-reachable", agent: agent("a") }), false);
    assert.equal(await registry.apply({ kind: "mark-agent-unreachable", agentId, time: time(1) }), true);
    assert.equal(await registry.apply({ kind: "mark-agent-unreachable", agentId, time: time(2) }), false);
    assert.equal(await registry.apply({ kind: "mark-agent-reachable", agent: agent("a") }), true);
    assert.equal(await registry.apply({ kind: "remove-agent", agentId }), true);
    assert.equal(await registry.apply({ kind: "prune", unreachable: [agentId], gone: [agentId] }), false);
  });

  test("admits an agent that it has forgotten when it comes back", async (registry) => {
    await registry.recover(master("1"));
    assert.equal(await registry.apply({ kind: "mark-agent-reachable", agent: agent("a") }), true);
    assert.deepEqual(lists(await registry.recover(master("1"))).admitted, ["a"]);
  });

  test("keeps the order of operations that are under way together", async (registry) => {
    await registry.recover(master("1"));
    const agentId = { value: "a" };
    const outcomes = await Promise.all([
      registry.apply({ kind: "admit-agent", agent: agent("a") }),
      registry.apply({ kind: "admit-agent", agent: agent("b") }),
      registry.apply({ kind: "mark-agent-unreachable", agentId, time: time(5) }),
      registry.apply({ kind: "prune", unreachable: [agentId], gone: [] }),
      registry.apply({ kind: "remove-agent", agentId }),
    ]);
    assert.deepEqual(outcomes, [true, true, true, true, false]);
    assert.deepEqual(lists(await registry.recover(master("1"))).admitted, ["b"]);
  });

  test("shows who only looks what it has, and is not disturbed by it", async (registry) => {
    if (registry.peek === undefined) return;
    await registry.peek();
    await registry.recover(master("1"));
    await registry.apply({ kind: "admit-agent", agent: agent("a") });
    const seen = await registry.peek();
    assert.deepEqual(lists(seen ?? assert.fail("it has nothing")).admitted, ["a"]);
    assert.equal(await registry.apply({ kind: "admit-agent", agent: agent("b") }), true);
    assert.deepEqual(lists((await registry.peek())!).admitted, ["a", "b"]);
  });

  durable(
    "finds every acknowledged change again, in order, and records the new leader",
    async (registry) => {
      await registry.recover(master("1"));
      await Promise.all(
        ["a", "b", "c", "d"].map((id) => registry.apply({ kind: "admit-agent", agent: agent(id) })),
      );
      await registry.apply({ kind: "mark-agent-unreachable", agentId: { value: "b" }, time: time(7) });
      await registry.apply({ kind: "remove-agent", agentId: { value: "c" } });
      await registry.apply({ kind: "update-agent", agent: agent("d", "moved.example") });
    },
    (state) => {
      assert.deepEqual(lists(state), { admitted: ["a", "d"], unreachable: ["b"], gone: [] });
      assert.equal(state.unreachable?.slaves[0]?.timestamp?.nanoseconds, 7n);
      assert.equal(state.slaves?.slaves[1]?.info?.hostname, "moved.example");
      assert.equal(state.master?.info?.id, "2");
    },
  );

  return cases;
}
