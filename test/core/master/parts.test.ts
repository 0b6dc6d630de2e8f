import { expect } from "chai";
import { RemovalLimiter } from "../../../core/master/agents/removal-limiter.js";
import { Strangers } from "../../../core/master/agents/strangers.js";
import { BoundedMap } from "../../../core/master/bounded-map.js";
import { History } from "../../../core/master/history.js";
import { masterInfo } from "../../../core/master/master-info.js";
import { parsePid } from "../../../core/master/pid.js";
import { setText, shortNumber } from "../../../core/master/validation/text.js";
import { isAtLeast, parseVersion } from "../../../core/master/version.js";
import { MemoryLogger } from "../../../sdk/testing/memory-logger.js";
import { VirtualClock } from "../../../sdk/testing/virtual-clock.js";

describe("History", () => {
  it("keeps the latest items, oldest first", () => {
    const history = new History<number>(3);
    for (const item of [1, 2, 3, 4, 5]) history.add(item);
    expect([...history]).to.deep.equal([3, 4, 5]);
  });

  it("goes on in order after items were dropped", () => {
    const history = new History<number>(3);
    for (const item of [1, 2, 3, 4]) history.add(item);
    history.remove((item) => item === 3);
    expect([...history]).to.deep.equal([2, 4]);
    history.add(5);
    history.add(6);
    expect([...history]).to.deep.equal([4, 5, 6]);
  });

  it("keeps nothing with a capacity of zero", () => {
    const history = new History<number>(0);
    history.add(1);
    expect(history.size).to.equal(0);
  });
});

describe("BoundedMap", () => {
  it("drops what was added first, and says so", () => {
    const dropped: number[] = [];
    const map = new BoundedMap<string, number>(2, (value) => dropped.push(value));
    map.set("a", 1);
    map.set("b", 2);
    map.set("a", 3);
    map.set("c", 4);
    expect(dropped).to.deep.equal([2]);
    expect([...map.keys()]).to.deep.equal(["a", "c"]);
  });

  it("keeps nothing with a capacity of zero", () => {
    const map = new BoundedMap<string, number>(0);
    map.set("a", 1);
    expect(map.has("a")).to.equal(false);
  });
});

describe("RemovalLimiter", () => {
  it("permits at once without a rate", () => {
    const limiter = new RemovalLimiter(new VirtualClock(), undefined);
    const permitted: number[] = [];
    for (const one of [1, 2, 3]) limiter.acquire(() => permitted.push(one));
    expect(permitted).to.deep.equal([1, 2, 3]);
  });

  it("spaces permissions out, in order, without those that withdrew", async () => {
    const clock = new VirtualClock();
    const limiter = new RemovalLimiter(clock, { count: 2, per: 1000 });
    const permitted: number[] = [];
    const withdrawals = [1, 2, 3, 4].map((one) => limiter.acquire(() => permitted.push(one)));
    expect(permitted).to.deep.equal([1]);
    withdrawals[1]!();
    await clock.advance(500);
    expect(permitted).to.deep.equal([1, 3]);
    await clock.advance(500);
    expect(permitted).to.deep.equal([1, 3, 4]);
    limiter.acquire(() => permitted.push(5));
    expect(permitted, "too early").to.deep.equal([1, 3, 4]);
    await clock.advance(500);
    expect(permitted).to.deep.equal([1, 3, 4, 5]);
    await clock.advance(10_000);
    limiter.acquire(() => permitted.push(6));
    expect(permitted, "long after").to.deep.equal([1, 3, 4, 5, 6]);
  });
});

describe("versions", () => {
  it("are three numbers, with or without labels", () => {
    expect(parseVersion("1.12.0")).to.deep.equal([1, 12, 0]);
    expect(parseVersion("1.4.0-rc1+build")).to.deep.equal([1, 4, 0]);
    expect(parseVersion("1.4")).to.deep.equal([1, 4, 0]);
    for (const text of ["", "new", "1", "1.2.3.4", "-1.0.0"]) expect(parseVersion(text)).to.equal(undefined);
  });

  it("are compared by their numbers", () => {
    for (const text of ["1.0.0", "1.12.0", "10.0.0"]) expect(isAtLeast(text, "1.0.0"), text).to.equal(true);
    for (const text of ["0.28.2", "0.99.9", "x"]) expect(isAtLeast(text, "1.0.0"), text).to.equal(false);
  });
});

describe("texts as Mesos prints them", () => {
  it("sets", () => {
    expect(setText(["a", "b"])).to.equal("{ a, b }");
  });

  it("numbers", () => {
    const texts: [number, string][] = [
      [0, "0"],
      [1.5, "1.5"],
      [1e20, "1e+20"],
      [1234567, "1.23457e+06"],
      [0.00001, "1e-05"],
      [0.0001, "0.0001"],
      [-2.5e-7, "-2.5e-07"],
      [Number.NaN, "nan"],
      [Number.NEGATIVE_INFINITY, "-inf"],
    ];
    for (const [value, text] of texts) expect(shortNumber(value)).to.equal(text);
  });
});

describe("addresses", () => {
  it("are split into their parts", () => {
    expect(parsePid("slave(1)@10.0.0.1:5051")).to.deep.include({
      id: "slave(1)",
      ip: "10.0.0.1",
      port: 5051,
    });
    expect(parsePid("nonsense")).to.deep.include({ id: "", ip: "", port: 0 });
  });

  it("of the master are told in all of Mesos's forms", () => {
    const info = masterInfo({ ip: "127.0.0.1", port: 15050, hostname: "localhost" });
    expect(info.ip).to.equal(16777343);
    expect(info.pid).to.equal("master@127.0.0.1:15050");
    expect(info.address).to.deep.equal({ hostname: "localhost", ip: "127.0.0.1", port: 15050 });
  });
});

describe("Strangers", () => {
  it("are each logged once a minute", async () => {
    const clock = new VirtualClock();
    const logger = new MemoryLogger();
    const strangers = new Strangers({ clock, logger });
    for (let i = 0; i < 5; i++) strangers.report("a@1.2.3.4:5", "unknown");
    strangers.report("b@1.2.3.4:5", "unknown");
    expect(logger.messages("warn")).to.have.length(2);
    await clock.advance(60_000);
    strangers.report("a@1.2.3.4:5", "unknown");
    expect(logger.messages("warn")).to.have.length(3);
  });
});
