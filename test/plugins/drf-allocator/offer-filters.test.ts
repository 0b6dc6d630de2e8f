import { expect } from "chai";
import fc from "fast-check";
import { type Expiring, ExpiryQueue } from "../../../plugins/drf-allocator/expiry-queue.js";
import { OfferFilters, refusalMs } from "../../../plugins/drf-allocator/offer-filters.js";
import { parseResources, type Resources } from "../../../sdk/resources/index.js";

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

describe("offer filters", () => {
  const place = { frameworkId: "f", role: "r", agentId: "a" };

  it("keep one filter where a newer one covers it", () => {
    const filters = new OfferFilters(1000);
    for (let i = 0; i < 100; i++) filters.add({ ...place, refused: resources(`cpus:${i + 1}`) }, i, 60_000);
    expect(filters.active("r")).to.equal(1);
    filters.add({ ...place, refused: resources("cpus:1") }, 100, 5000);
    expect(filters.active("r")).to.equal(1);
    filters.add({ ...place, refused: resources("mem:1") }, 100, 5000);
    expect(filters.active("r")).to.equal(2);
  });

  it("name the agents whose filters have ended, each filter once", () => {
    const filters = new OfferFilters(1000);
    filters.add({ ...place, refused: resources("cpus:1") }, 0, 5000);
    filters.add({ ...place, agentId: "b", refused: resources("cpus:1") }, 0, 7000);
    expect(filters.expire(4999)).to.deep.equal(new Set());
    expect(filters.expire(5000)).to.deep.equal(new Set(["a"]));
    expect(filters.expire(10_000)).to.deep.equal(new Set(["b"]));
    expect(filters.expire(20_000)).to.deep.equal(new Set());
    expect(filters.active("r")).to.equal(0);
  });

  it("are gone with their role, framework or agent", () => {
    const filters = new OfferFilters(1000);
    const add = (more: Partial<typeof place>) =>
      filters.add({ ...place, ...more, refused: resources("cpus:1") }, 0, 60_000);
    const holds = (more: Partial<typeof place>) =>
      filters.holdsBack({ ...place, ...more }, resources("cpus:1"), 1);
    const others = [{ role: "s" }, { frameworkId: "g" }, { agentId: "b" }];
    for (const more of [{}, ...others]) add(more);
    filters.removeRole("f", "s");
    filters.removeFramework("g");
    filters.removeAgent("b");
    expect(others.map(holds)).to.deep.equal([false, false, false]);
    expect(holds({})).to.equal(true);
    expect(filters.active("r")).to.equal(1);
    expect(filters.active("s")).to.equal(0);
    expect(filters.expire(60_000)).to.deep.equal(new Set(["a"]));
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
