import { expect } from "chai";
import { ConstraintsReader } from "../../../plugins/drf-allocator/constraints/offer-constraints.js";
import { AgentInfo } from "../../../proto/gen/mesos/v1/mesos.js";
import {
  type AttributeConstraint_Predicate,
  OfferConstraints,
} from "../../../proto/gen/mesos/v1/scheduler/scheduler.js";

const reader = new ConstraintsReader({ maxMem: 4096, maxProgramSize: 100 });

const TEXT = 3;
const SCALAR = 0;

const agent = AgentInfo.fromPartial({
  hostname: "big1.example",
  attributes: [
    { name: "rack", type: TEXT, text: { value: "r1" } },
    { name: "level", type: SCALAR, scalar: { value: 3 } },
  ],
  domain: { fault_domain: { region: { name: "west" }, zone: { name: "w1" } } },
});

type Selector = { attribute_name: string } | { pseudoattribute_type: number };

/** Whether the agent passes one constraint. */
function passes(selector: Selector, predicate: Partial<AttributeConstraint_Predicate>): boolean {
  const constraints = OfferConstraints.fromPartial({
    role_constraints: { r: { groups: [{ attribute_constraints: [{ selector, predicate }] }] } },
  });
  return !reader.read(constraints)!.excludes("r", agent);
}

describe("offer constraints", () => {
  const rack = { attribute_name: "rack" };
  const level = { attribute_name: "level" };
  const other = { attribute_name: "other" };
  const cases: [Selector, Partial<AttributeConstraint_Predicate>, boolean][] = [
    [rack, { exists: {} }, true],
    [other, { exists: {} }, false],
    [rack, { not_exists: {} }, false],
    [other, { not_exists: {} }, true],
    [rack, { text_equals: { value: "r1" } }, true],
    [rack, { text_equals: { value: "r" } }, false],
    [other, { text_equals: { value: "r1" } }, false],
    [rack, { text_not_equals: { value: "r1" } }, false],
    [other, { text_not_equals: { value: "r1" } }, true],
    [rack, { text_matches: { regex: "r[0-9]" } }, true],
    [rack, { text_matches: { regex: "r" } }, false],
    [rack, { text_not_matches: { regex: "x.*" } }, true],
    [rack, { text_not_matches: { regex: "r." } }, false],
    [rack, { text_matches: { regex: "(?i)R1" } }, true],
    [level, { text_equals: { value: "3" } }, true],
    [level, { text_not_matches: { regex: ".*" } }, true],
    [{ pseudoattribute_type: 1 }, { text_equals: { value: "big1.example" } }, true],
    [{ pseudoattribute_type: 2 }, { text_equals: { value: "west" } }, true],
    [{ pseudoattribute_type: 3 }, { text_equals: { value: "w2" } }, false],
    [{ pseudoattribute_type: 0 }, { exists: {} }, false],
    [rack, {}, false],
    [rack, { text_matches: { regex: "(" } }, false],
    [rack, { text_not_matches: { regex: "(" } }, false],
  ];
  for (const [selector, predicate, expected] of cases) {
    it(`${JSON.stringify(selector)} ${JSON.stringify(predicate)}: ${expected}`, () => {
      expect(passes(selector, predicate)).to.equal(expected);
    });
  }

  it("do not concern roles that they do not name", () => {
    const constraints = OfferConstraints.fromPartial({ role_constraints: { r: { groups: [] } } });
    const filter = reader.read(constraints)!;
    expect([filter.excludes("r", agent), filter.excludes("s", agent)]).to.deep.equal([true, false]);
  });
});
