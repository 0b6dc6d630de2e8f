import { expect } from "chai";
import { exponent, linearFit, medians, summary } from "./allocator-fit.js";

const points = (f: (x: number) => number) => [1, 2, 5, 10, 50].map((x) => ({ x: x * 1000, y: f(x) }));

describe("the fits of the allocator's bench", () => {
  it("tell the power with which a cost grows", () => {
    expect(exponent(points((x) => 3 * x))).to.be.closeTo(1, 1e-9);
    expect(exponent(points((x) => x ** 2))).to.be.closeTo(2, 1e-9);
    expect(exponent(points(() => 7))).to.be.closeTo(0, 1e-9);
  });

  it("do not follow one bad measurement", () => {
    const bad = points((x) => (x === 5 ? 100 : 3 * x));
    expect(exponent(bad)).to.be.closeTo(1, 0.1);
    const runs = [1, 9, 2].map((y) => ({ x: 1, y }));
    expect(medians(runs)).to.deep.equal([{ x: 1, y: 2 }]);
  });

  it("tell a line by its slope, and how well it fits", () => {
    const fit = linearFit(points((x) => 2000 * x + 5));
    expect([fit.slope, fit.intercept, fit.r2].map((value) => Number(value.toFixed(6)))).to.deep.equal([
      2, 5, 1,
    ]);
  });

  it("keep of several runs the medians, and the worst of what tells the worst", () => {
    const runs = [3, 1, 2].map((value) => ({ first_ms: value, longest_block_ms: value }));
    expect(summary(runs)).to.deep.equal({ first_ms: 2, longest_block_ms: 3 });
  });
});
