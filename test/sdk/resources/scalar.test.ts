import { expect } from "chai";
import { doubleJson, scalarJson, scalarText, toMilli } from "../../../sdk/resources/index.js";
import { resources } from "./build.js";

describe("scalars", () => {
  it("round to three decimals, halves away from zero", () => {
    expect(toMilli(1.001)).to.equal(1001);
    expect(toMilli(1.5011)).to.equal(1501);
    expect(toMilli(1.5015)).to.equal(1502);
    expect(toMilli(-1.5015)).to.equal(-1502);
    expect(toMilli(0.0004)).to.equal(0);
  });

  it("do not drift however often they are added and subtracted", () => {
    const start = resources("cpus:1.001");
    let current = start;
    for (let i = 0; i < 20_000; i++) current = current.add(start);
    for (let i = 0; i < 20_000; i++) current = current.subtract(start);
    expect(current.equals(start)).to.equal(true);
    expect(current.cpus).to.equal(1.001);
  });

  it("show no needless digits in texts and always a fraction in JSON", () => {
    expect(scalarText(2000)).to.equal("2");
    expect(scalarText(500)).to.equal("0.5");
    expect(scalarText(1_234_567_891)).to.equal("1234567.891");
    expect(scalarJson(2000)).to.equal("2.0");
    expect(scalarJson(500)).to.equal("0.5");
    expect(scalarJson(0)).to.equal("0.0");
    expect(doubleJson(1e30)).to.equal("1e30");
    expect(doubleJson(1.25)).to.equal("1.25");
  });
});
