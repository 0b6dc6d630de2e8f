import { expect } from "chai";
import { Ending, type EndingOptions } from "../../../../core/agent/tasks/ending.js";
import type { KillRecord } from "../../../../core/agent/tasks/kill-record.js";
import { Deferred } from "../../../../sdk/client/deferred.js";
import { VirtualClock } from "../../../../sdk/testing/virtual-clock.js";

/** A task on a disk, and with an engine, that answer when the test says so. */
class Slow {
  readonly clock = new VirtualClock();
  readonly notes: KillRecord[] = [];
  readonly signals: number[] = [];
  readonly written = new Deferred<void>();
  readonly sent = new Deferred<boolean>();

  begin(options: Partial<EndingOptions> = {}): Ending {
    return new Ending(
      { cause: "killed", grace: 3000, ...options },
      {
        clock: this.clock,
        note: (kill) => {
          this.notes.push(kill);
          return this.written.promise;
        },
        signal: (signal) => {
          this.signals.push(signal);
          return this.sent.promise;
        },
      },
    );
  }
}

describe("The end of a task", () => {
  it("gives the whole grace from SIGTERM, which waits for the disk and the engine", async () => {
    const slow = new Slow();
    void slow.begin().ask();
    await slow.clock.advance(20_000);
    expect(slow.signals).to.deep.equal([]);
    slow.written.resolve();
    await slow.clock.advance(20_000);
    expect(slow.signals).to.deep.equal([15]);
    slow.sent.resolve(true);
    await slow.clock.advance(2999);
    expect(slow.signals).to.deep.equal([15]);
    await slow.clock.advance(1);
    expect(slow.signals).to.deep.equal([15, 9]);
  });

  it("asks once, however often it is told that there is something to ask", async () => {
    const slow = new Slow();
    const ending = slow.begin();
    void ending.ask();
    void ending.ask();
    slow.written.resolve();
    await slow.clock.advance(0);
    void ending.ask();
    expect(slow.signals).to.deep.equal([15]);
  });

  it("comes also where the disk and the engine never answer", async () => {
    const slow = new Slow();
    void slow.begin().ask();
    await slow.clock.advance(60_000);
    expect(slow.signals).to.deep.equal([15]);
    await slow.clock.advance(62_999);
    expect(slow.signals).to.deep.equal([15]);
    await slow.clock.advance(1);
    expect(slow.signals).to.deep.equal([15, 9]);
  });

  it("has a shorter grace as soon as somebody wants that, also before it was asked", async () => {
    const slow = new Slow();
    slow.sent.resolve(true);
    const ending = slow.begin();
    void ending.ask();
    ending.hasten(1000);
    ending.hasten(2000);
    slow.written.resolve();
    await slow.clock.advance(500);
    ending.hasten(700);
    await slow.clock.advance(199);
    expect(slow.signals).to.deep.equal([15]);
    await slow.clock.advance(1);
    expect(slow.signals).to.deep.equal([15, 9]);
    const end = slow.clock.now();
    const known = { cause: "killed", deadline: undefined };
    expect(slow.notes).to.deep.equal([
      { ...known, grace: 3000 },
      { ...known, grace: 1000 },
      { ...known, grace: 1000, deadline: end + 300 },
      { ...known, grace: 700, deadline: end },
    ]);
  });

  it("goes on where an earlier run has asked", async () => {
    const slow = new Slow();
    const end = slow.clock.now() + 3000;
    void slow.begin({ asked: true }).ask();
    expect(slow.notes).to.deep.equal([{ cause: "killed", grace: 3000, deadline: end }]);
    await slow.clock.advance(3000);
    expect(slow.signals).to.deep.equal([9]);
  });

  it("sends nothing once it is over", async () => {
    const slow = new Slow();
    const ending = slow.begin();
    void ending.ask();
    ending.stop();
    slow.written.resolve();
    await slow.clock.advance(200_000);
    expect(slow.signals).to.deep.equal([]);
  });
});
