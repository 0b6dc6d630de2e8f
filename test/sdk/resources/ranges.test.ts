import { expect } from "chai";
import fc from "fast-check";
import {
  addRanges,
  coalesce,
  containsRanges,
  countRanges,
  equalRanges,
  type Ranges,
  rangesText,
  subtractRanges,
} from "../../../sdk/resources/ranges.js";

const members = (ranges: Ranges): Set<number> => {
  const all = new Set<number>();
  for (let i = 0; i < ranges.length; i += 2) {
    for (let n = ranges[i]!; n <= ranges[i + 1]!; n++) all.add(n);
  }
  return all;
};

const sorted = (numbers: Set<number>): number[] => [...numbers].sort((left, right) => left - right);

const list = fc.array(
  fc.tuple(fc.nat(40), fc.nat(6)).map(([begin, length]) => ({ begin, end: begin + length })),
  { maxLength: 8 },
);
const any = list.map(coalesce);

describe("ranges", () => {
  it("joins overlapping and adjacent ranges", () => {
    const joined = coalesce([
      { begin: 7, end: 8 },
      { begin: 1, end: 4 },
      { begin: 3, end: 5 },
      { begin: 9, end: 10 },
    ]);
    expect(joined).to.deep.equal([1, 5, 7, 10]);
    expect(rangesText(joined)).to.equal("[1-5, 7-10]");
    expect(rangesText([])).to.equal("[]");
  });

  it("splits a range around what is taken from its middle", () => {
    expect(subtractRanges([31000, 32000], [31005, 31006])).to.deep.equal([31000, 31004, 31007, 32000]);
  });

  it("takes one range out of several", () => {
    expect(subtractRanges([1, 3, 5, 7, 9, 11], [2, 10])).to.deep.equal([1, 1, 11, 11]);
  });

  it("does as sets of numbers do", () => {
    fc.assert(
      fc.property(any, any, (left, right) => {
        const l = members(left);
        const r = members(right);
        expect(sorted(members(addRanges(left, right)))).to.deep.equal(sorted(new Set([...l, ...r])));
        expect(sorted(members(subtractRanges(left, right)))).to.deep.equal(
          sorted(new Set([...l].filter((n) => !r.has(n)))),
        );
        expect(containsRanges(left, right)).to.equal([...r].every((n) => l.has(n)));
        expect(countRanges(left)).to.equal(l.size);
      }),
    );
  });

  it("keeps every result sorted and joined", () => {
    const normal = (ranges: Ranges): boolean =>
      ranges.every((n, i) => i === 0 || (i % 2 === 1 ? n >= ranges[i - 1]! : n > ranges[i - 1]! + 1));
    fc.assert(
      fc.property(any, any, (left, right) => {
        for (const result of [left, addRanges(left, right), subtractRanges(left, right)]) {
          expect(normal(result), rangesText(result)).to.equal(true);
        }
        expect(equalRanges(left, right)).to.equal(rangesText(left) === rangesText(right));
      }),
    );
  });
});
