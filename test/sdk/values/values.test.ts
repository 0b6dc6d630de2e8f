import { expect } from "chai";
import fc from "fast-check";
import {
  durationFromNs,
  durationToNs,
  formatBytes,
  formatDuration,
  formatPercent,
  formatRate,
  parseBytes,
  parseDuration,
  parsePercent,
  parseRate,
} from "../../../sdk/values/index.js";

describe("duration text", () => {
  const both: [string, number][] = [
    ["0ns", 0],
    ["1ns", 1e-6],
    ["3us", 0.003],
    ["500ms", 500],
    ["10secs", 10_000],
    ["1mins", 60_000],
    ["90secs", 90_000],
    ["6hrs", 21_600_000],
    ["10days", 864_000_000],
    ["1weeks", 604_800_000],
    ["2weeks", 1_209_600_000],
    ["1500ms", 1500],
  ];
  for (const [text, ms] of both) {
    it(`reads and prints ${text}`, () => {
      expect(parseDuration(text)).to.equal(ms);
      expect(formatDuration(ms)).to.equal(text);
    });
  }

  it("prints what Mesos prints for other spellings", () => {
    const spellings: [string, string][] = [
      ["60secs", "1mins"],
      ["1.5hrs", "90mins"],
      [".5secs", "500ms"],
      ["5.secs", "5secs"],
      ["7days", "1weeks"],
      ["36hrs", "36hrs"],
      ["0secs", "0ns"],
      ["1000ns", "1us"],
      ["61001ms", "1.01668333333333mins"],
    ];
    for (const [input, output] of spellings)
      expect(formatDuration(parseDuration(input)), input).to.equal(output);
    expect(formatDuration(-90_000)).to.equal("-90secs");
  });

  it("refuses what Mesos refuses", () => {
    for (const text of [
      "",
      "10",
      "secs",
      "10 secs",
      "10sec",
      "10Secs",
      "-1secs",
      "1..5secs",
      ".secs",
      "1e3ms",
      "600000weeks",
    ]) {
      expect(() => parseDuration(text), text).to.throw(/duration/);
    }
  });

  it("keeps every nanosecond up to 46 days", () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 4_000_000_000_000_000n }), (ns) => {
        expect(durationToNs(durationFromNs(ns))).to.equal(ns);
      }),
    );
  });

  it("reads back what it printed, to 15 digits", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 10_000_000_000 }), (ms) => {
        expect(parseDuration(formatDuration(ms))).to.be.closeTo(ms, ms * 1e-14);
      }),
    );
  });
});

describe("bytes text", () => {
  it("reads units in any case and prints the largest that divides", () => {
    const rows: [string, number, string][] = [
      ["4096B", 4096, "4KB"],
      ["2gb", 2 * 1024 ** 3, "2GB"],
      ["1024GB", 1024 ** 4, "1TB"],
      ["0MB", 0, "0B"],
      ["1025B", 1025, "1025B"],
    ];
    for (const [input, bytes, output] of rows) {
      expect(parseBytes(input), input).to.equal(bytes);
      expect(formatBytes(bytes), input).to.equal(output);
    }
  });

  it("refuses fractions, bare numbers, unknown units and overflow", () => {
    expect(() => parseBytes("1.5GB")).to.throw(/fractions/);
    expect(() => parseBytes("10PB")).to.throw(/unknown size unit 'PB'/);
    expect(() => parseBytes("9999999999TB")).to.throw(/too large/);
    for (const text of ["", "10", "MB", "-1MB", "1 0MB"])
      expect(() => parseBytes(text), text).to.throw(/size/);
  });

  it("round-trips", () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), (bytes) => {
        expect(parseBytes(formatBytes(bytes))).to.equal(bytes);
      }),
    );
  });
});

describe("rate and percent text", () => {
  it("reads and prints", () => {
    expect(parseRate("1/10mins")).to.deep.equal({ count: 1, per: 600_000 });
    expect(formatRate({ count: 3, per: 1000 })).to.equal("3/1secs");
    expect(parsePercent("12.5%")).to.equal(0.125);
    expect(formatPercent(parsePercent("100%"))).to.equal("100%");
    expect(formatPercent(parsePercent("7%"))).to.equal("7%");
  });

  it("refuses other forms", () => {
    for (const text of ["", "1", "0/1secs", "1/0secs", "a/1secs", "1/2/3secs", "1/1"]) {
      expect(() => parseRate(text), text).to.throw(/rate|duration/);
    }
    for (const text of ["", "50", "101%", "-1%", "%"])
      expect(() => parsePercent(text), text).to.throw(/percentage/);
  });
});
