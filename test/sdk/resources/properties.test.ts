import { expect } from "chai";
import fc from "fast-check";
import { jsonOf } from "../../../proto/json/index.js";
import {
  convertResources,
  hasRefinedReservations,
  parseResources,
  ResourceAccumulator,
  Resources,
  resourcesFromJson,
  validateResources,
} from "../../../sdk/resources/index.js";
import { anyResource, bundle, scalarsOnly } from "./arbitraries.js";
import { unwrap } from "./build.js";

const same = (left: Resources, right: Resources): void => {
  expect(left.equals(right), `${left}\n${right}`).to.equal(true);
  expect(right.equals(left)).to.equal(true);
};

describe("resource arithmetic", () => {
  it("adds in any order and grouping", () => {
    fc.assert(
      fc.property(bundle, bundle, bundle, (a, b, c) => {
        same(a.add(b), b.add(a));
        same(a.add(b).add(c), a.add(b.add(c)));
        same(a.add(Resources.empty), a);
      }),
    );
  });

  it("sums bundles as adding them one by one does, and changes none", () => {
    fc.assert(
      fc.property(fc.array(bundle, { maxLength: 6 }), (all) => {
        const texts = all.map(String);
        same(
          Resources.sum(all),
          all.reduce((total, one) => total.add(one), Resources.empty),
        );
        expect(all.map(String)).to.deep.equal(texts);
      }),
    );
  });

  it("normalises a list the same in any order", () => {
    const shuffled = fc
      .array(anyResource, { maxLength: 10 })
      .chain((list) => fc.tuple(fc.constant(list), fc.shuffledSubarray(list, { minLength: list.length })));
    fc.assert(fc.property(shuffled, ([list, other]) => same(Resources.of(list), Resources.of(other))));
  });

  it("takes away again what it added", () => {
    fc.assert(fc.property(scalarsOnly, scalarsOnly, (a, b) => same(a.add(b).subtract(b), a)));
  });

  it("adds again what it took away", () => {
    fc.assert(
      fc.property(bundle, bundle, (a, b) => {
        const whole = a.add(b);
        expect(whole.contains(a)).to.equal(true);
        same(whole.subtract(a).add(a), whole);
      }),
    );
  });

  it("leaves nothing when everything is taken", () => {
    fc.assert(fc.property(bundle, (a) => a.subtract(a).isEmpty));
  });

  it("never holds an empty or negative amount", () => {
    fc.assert(
      fc.property(bundle, bundle, (a, b) => {
        for (const result of [a, a.add(b), a.subtract(b)]) {
          expect(
            result.entries.some((entry) => entry.isEmpty || entry.milli < 0 || entry.copies < 1),
          ).to.equal(false);
        }
        expect(a.contains(a.subtract(b))).to.equal(true);
      }),
    );
  });

  it("contains what equals it, and equals what contains it both ways", () => {
    fc.assert(
      fc.property(bundle, bundle, (a, b) => {
        expect(a.contains(a)).to.equal(true);
        expect(a.equals(b)).to.equal(a.contains(b) && b.contains(a));
        if (a.contains(b)) same(a.subtract(b).add(b), a);
      }),
    );
  });

  it("leaves its operands as they were", () => {
    fc.assert(
      fc.property(bundle, bundle, (a, b) => {
        const before = [String(a), String(b)];
        a.add(b);
        a.subtract(b);
        a.allocate("x").unallocate();
        expect([String(a), String(b)]).to.deep.equal(before);
      }),
    );
  });

  it("has a key for each kind, the same for the same", () => {
    fc.assert(
      fc.property(bundle, bundle, (a, b) => {
        for (const { kind } of a) {
          for (const { kind: other } of b) expect(kind.key === other.key).to.equal(kind.is(other));
        }
      }),
    );
  });

  it("accumulates to what it adds up to", () => {
    const steps = fc.array(fc.tuple(fc.boolean(), bundle), { maxLength: 12 });
    fc.assert(
      fc.property(steps, (list) => {
        const accumulator = new ResourceAccumulator();
        let total = Resources.empty;
        for (const [add, change] of list) {
          if (add) accumulator.add(change);
          else accumulator.subtract(change);
          total = add ? total.add(change) : total.subtract(change);
          same(accumulator.total, total);
          expect(new Map([...accumulator.quantities].sort())).to.deep.equal(
            new Map([...total.quantities()].sort()),
          );
          expect(accumulator.isEmpty).to.equal(total.isEmpty);
          expect(accumulator.milli("disk")).to.equal(total.milli("disk"));
        }
        accumulator.clear();
        same(accumulator.total, Resources.empty);
      }),
    );
  });
});

describe("resource forms", () => {
  /** A message says nothing of copies. */
  const single = bundle.map((all) => all.mapEntries((entry) => entry.withCopies(1)));

  it("come back from messages of every format", () => {
    fc.assert(
      fc.property(single, fc.constantFrom("post-refinement", "pre-refinement", "endpoint"), (all, format) => {
        const list = all.toMessages(format);
        expect(validateResources(list)).to.equal(undefined);
        same(Resources.of(list), all);
        expect(convertResources(all.toMessages("endpoint"), format)).to.deep.equal(list);
        if (format === "pre-refinement") {
          expect(list.every((one) => one.reservations.length === 0 || hasRefinedReservations(one))).to.equal(
            true,
          );
        }
      }),
    );
  });

  it("come back from JSON", () => {
    fc.assert(
      fc.property(single, fc.constantFrom("post-refinement", "pre-refinement", "endpoint"), (all, format) => {
        const json = `[${all.toMessages(format).map(jsonOf("mesos.v1.Resource").write).join(",")}]`;
        same(Resources.of(unwrap(resourcesFromJson(json))), all);
        same(Resources.of(unwrap(resourcesFromJson(JSON.parse(json)))), all);
      }),
    );
  });

  it("come back from text, where a text can say them", () => {
    const plain = bundle.map((all) =>
      all.filter(({ kind }) => kind.plain && kind.name !== "gpus").unallocate(),
    );
    fc.assert(fc.property(plain, (all) => same(unwrap(parseResources(all.isEmpty ? "" : String(all))), all)));
  });
});
