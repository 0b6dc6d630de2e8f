import { expect } from "chai";
import fc from "fast-check";
import { RoleNode } from "../../../plugins/drf-allocator/accounts/role-tree.js";
import { AgentState } from "../../../plugins/drf-allocator/agent-state.js";
import { type Expiring, ExpiryQueue } from "../../../plugins/drf-allocator/filters/expiry-queue.js";
import { OfferFilters } from "../../../plugins/drf-allocator/filters/offer-filters.js";
import { refusalMs } from "../../../plugins/drf-allocator/filters/refusal.js";
import { FrameworkState } from "../../../plugins/drf-allocator/framework-state.js";
import { Member, Role } from "../../../plugins/drf-allocator/roles.js";
import { RandomSorter } from "../../../plugins/drf-allocator/sorter/random-sorter.js";
import { AgentInfo, FrameworkInfo } from "../../../proto/gen/mesos/v1/mesos.js";
import { parseResources, Resources } from "../../../sdk/resources/index.js";
import { SeededRandom } from "../../../sdk/testing/seeded-random.js";

function resources(text: string): Resources {
  const parsed = parseResources(text);
  if (!parsed.ok) throw new Error(parsed.error);
  return parsed.value;
}

describe("the length of a refusal", () => {
  const lengths: [number | undefined, number][] = [
    [undefined, 5000],
    [0, 0],
    [2.5, 2500],
    [-1, 5000],
    [Number.NaN, 5000],
    [Number.POSITIVE_INFINITY, 365 * 24 * 3600 * 1000],
    [1e12, 365 * 24 * 3600 * 1000],
  ];
  for (const [seconds, ms] of lengths) {
    it(`of ${seconds} seconds is ${ms} ms`, () => {
      expect(refusalMs({ refuse_seconds: seconds })).to.equal(ms);
    });
  }
});

function agentOf(id: string): AgentState {
  return new AgentState({
    id,
    info: AgentInfo.create(),
    capabilities: [],
    total: Resources.empty,
    used: new Map(),
  });
}

function memberOf(id: string, role: string): Member {
  const random = new SeededRandom();
  const sorters = { roles: new RandomSorter<Role>(random), frameworks: new RandomSorter<Member>(random) };
  const framework = {
    id,
    info: FrameworkInfo.create(),
    active: true,
    suppressedRoles: [],
    offerConstraints: undefined,
  };
  return new Member(
    new Role(role, new RoleNode(role, undefined), sorters),
    new FrameworkState(framework, undefined),
  );
}

describe("offer filters", () => {
  const a = agentOf("a");
  const b = agentOf("b");
  const refused = resources("cpus:1");

  it("keep one filter where a newer one covers it", () => {
    const filters = new OfferFilters(1000);
    const member = memberOf("f", "r");
    for (let i = 0; i < 100; i++) {
      filters.add(member, a, { refused: resources(`cpus:${i + 1}`), now: i, ms: 60_000 });
    }
    expect(filters.active("r")).to.equal(1);
    filters.add(member, a, { refused, now: 100, ms: 5000 });
    expect(filters.active("r")).to.equal(1);
    filters.add(member, a, { refused: resources("mem:1"), now: 100, ms: 5000 });
    expect(filters.active("r")).to.equal(2);
  });

  it("name the agents whose filters have ended, each filter once, and no more at a time than wanted", () => {
    const filters = new OfferFilters(1000);
    const member = memberOf("f", "r");
    const ended = (now: number, limit = 100) => filters.expire(now, limit).map(({ agent }) => agent.id);
    filters.add(member, a, { refused, now: 0, ms: 5000 });
    filters.add(member, b, { refused, now: 0, ms: 7000 });
    expect(ended(4999)).to.deep.equal([]);
    expect(ended(5000)).to.deep.equal(["a"]);
    expect(ended(10_000)).to.deep.equal(["b"]);
    expect(ended(20_000)).to.deep.equal([]);
    expect(filters.active("r")).to.equal(0);
    for (const agent of [a, b]) filters.add(member, agent, { refused, now: 0, ms: 5000 });
    expect([ended(6000, 1), ended(6000, 1), ended(6000, 1)]).to.deep.equal([["a"], ["b"], []]);
  });

  it("are gone with their member or agent", () => {
    const filters = new OfferFilters(1000);
    const member = memberOf("f", "r");
    const other = memberOf("f", "s");
    for (const one of [member, other])
      for (const agent of [a, b]) filters.add(one, agent, { refused, now: 0, ms: 60_000 });
    filters.removeMember(other);
    filters.removeAgent([member, other], b);
    const blocks = (one: Member, agent: AgentState) =>
      filters.blocking(one, agent, { offer: refused, now: 1 }) !== undefined;
    expect([blocks(member, a), blocks(member, b), blocks(other, a), blocks(other, b)]).to.deep.equal([
      true,
      false,
      false,
      false,
    ]);
    expect([filters.active("r"), filters.active("s")]).to.deep.equal([1, 0]);
    expect(filters.expire(60_000, 100)).to.have.length(1);
  });
});

describe("expiry queue", () => {
  it("gives each thing at the first look after its time, unless it was removed", () => {
    const step = fc.record({ in: fc.nat(5000), remove: fc.boolean(), pass: fc.nat(700) });
    fc.assert(
      fc.property(fc.array(step), (steps) => {
        const queue = new ExpiryQueue<Expiring>(100);
        const live = new Set<Expiring>();
        let now = 0;
        for (const { in: ms, remove, pass } of steps) {
          const item: Expiring = { expiresAt: now + ms, bucket: undefined, place: 0 };
          queue.add(item);
          if (remove) queue.remove(item);
          else live.add(item);
          now += pass;
          const due = [...live].filter(({ expiresAt }) => expiresAt <= now);
          const taken = queue.takeExpired(now);
          expect(taken.length).to.equal(due.length);
          expect(taken.every((one) => due.includes(one))).to.equal(true);
          for (const one of due) live.delete(one);
        }
      }),
    );
  });
});
