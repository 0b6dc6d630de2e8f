import { expect } from "chai";
import { VirtualClock } from "../../../sdk/testing/index.js";
import { inTime, pause, Rounds } from "../../../sdk/time/index.js";

describe("a pause", () => {
  it("ends when its time is over", async () => {
    const clock = new VirtualClock();
    let over = false;
    void pause(clock, 100).then(() => (over = true));
    await clock.advance(99);
    expect(over).to.equal(false);
    await clock.advance(1);
    expect(over).to.equal(true);
  });

  it("ends at once when its signal is aborted, then or already, and leaves no timer", async () => {
    const clock = new VirtualClock();
    const stop = new AbortController();
    const first = pause(clock, 100, stop.signal);
    expect(clock.pendingTimers).to.equal(1);
    stop.abort();
    await first;
    await pause(clock, 100, stop.signal);
    expect(clock.pendingTimers).to.equal(0);
  });
});

describe("work that is waited for no longer than a time", () => {
  it("is in time when it is done before, and leaves no timer", async () => {
    const clock = new VirtualClock();
    expect(await inTime(clock, 100, Promise.resolve())).to.equal(true);
    expect(clock.pendingTimers).to.equal(0);
  });

  it("is late when it is not", async () => {
    const clock = new VirtualClock();
    const waited = inTime(clock, 100, new Promise(() => {}));
    await clock.advance(100);
    expect(await waited).to.equal(false);
  });

  it("fails as it fails, and leaves no timer", async () => {
    const clock = new VirtualClock();
    const failure = await inTime(clock, 100, Promise.reject(new Error("broken"))).catch(String);
    expect(failure).to.equal("Error: broken");
    expect(clock.pendingTimers).to.equal(0);
  });
});

describe("rounds", () => {
  const rounds = (clock: VirtualClock, round: () => Promise<void>) => {
    const failures: string[] = [];
    return {
      failures,
      rounds: new Rounds({ clock, interval: 100, round, failed: (error) => failures.push(String(error)) }),
    };
  };

  it("come so long after the last one has ended", async () => {
    const clock = new VirtualClock();
    const begun: number[] = [];
    rounds(clock, async () => {
      begun.push(clock.monotonic());
      await pause(clock, 30);
    }).rounds.start();
    await clock.advance(400);
    expect(begun).to.deep.equal([100, 230, 360]);
  });

  it("may begin at once", async () => {
    const clock = new VirtualClock();
    let count = 0;
    rounds(clock, async () => void count++).rounds.startNow();
    expect(count).to.equal(1);
    await clock.advance(100);
    expect(count).to.equal(2);
  });

  it("go on when one fails, and tell of it", async () => {
    const clock = new VirtualClock();
    let count = 0;
    const { rounds: all, failures } = rounds(clock, async () => {
      if (count++ === 0) throw new Error("broken");
    });
    all.start();
    await clock.advance(200);
    expect(failures).to.deep.equal(["Error: broken"]);
    expect(count).to.equal(2);
  });

  it("end when they are stopped, once the one that is under way is over", async () => {
    const clock = new VirtualClock();
    let finish = () => {};
    let begun = 0;
    let over = false;
    const { rounds: all } = rounds(clock, () => {
      begun++;
      return new Promise<void>((resolve) => (finish = resolve));
    });
    all.start();
    await clock.advance(100);
    void all.stop().then(() => (over = true));
    await clock.advance(1000);
    expect([begun, over, all.stopped]).to.deep.equal([1, false, true]);
    finish();
    await clock.advance(1000);
    expect([begun, over]).to.deep.equal([1, true]);
    all.start();
    expect(clock.pendingTimers).to.equal(0);
  });
});
