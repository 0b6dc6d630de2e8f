import { expect } from "chai";
import { SharedReads } from "../../../sdk/http/shared-reads.js";
import { VirtualClock } from "../../../sdk/testing/virtual-clock.js";

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe("reads that many ask for at a time", () => {
  let now: number;
  let clock: VirtualClock;
  let reads: SharedReads;
  let written: string[];

  /** Takes a tenth of a second. */
  const state = (name = "state") => {
    written.push(name);
    now += 100;
    return `${name} ${written.length}`;
  };

  beforeEach(() => {
    now = 0;
    written = [];
    clock = new VirtualClock();
    reads = new SharedReads({
      monotonic: () => now,
      setTimeout: (callback, delay) =>
        clock.setTimeout(() => {
          now += delay;
          callback();
        }, delay),
    });
  });

  it("are written once for all who wait, after the last of them has asked, and anew for who comes later", async () => {
    const first = reads.ask("state", state);
    expect(written, "not within the call").to.deep.equal([]);
    const others = [reads.ask("state", state), reads.ask("state", state)];
    await turn();
    const answers = await Promise.all([first, ...others]);
    expect(written).to.deep.equal(["state"]);
    expect(String(answers[0])).to.equal("state 1");
    expect(new Set(answers).size, "all got the same bytes").to.equal(1);
    const later = reads.ask("state", state);
    await clock.advance(100);
    expect(String(await later)).to.equal("state 2");
  });

  it("leave as much time to everything else as they take", async () => {
    const answers = ["a", "b", "c"].map((name) => reads.ask(name, () => state(name)));
    await turn();
    expect(written).to.deep.equal(["a"]);
    await turn();
    await clock.advance(99);
    expect(written).to.deep.equal(["a"]);
    // Whoever comes in the meantime shares what has not been written yet.
    answers.push(reads.ask("c", () => state("again")));
    await clock.advance(1);
    expect(written).to.deep.equal(["a", "b"]);
    await clock.advance(100);
    expect(written).to.deep.equal(["a", "b", "c"]);
    expect((await Promise.all(answers)).map(String)).to.deep.equal(["a 1", "b 2", "c 3", "c 3"]);
  });

  it("fail for all who wait where they cannot be written, and for nobody else", async () => {
    const broken = () => {
      throw new Error("broken");
    };
    const failing = [reads.ask("state", broken), reads.ask("state", broken)].map((answer) =>
      answer.then(String, (error: Error) => error.message),
    );
    const other = reads.ask("other", () => state("other"));
    await turn();
    await turn();
    expect(await Promise.all(failing)).to.deep.equal(["broken", "broken"]);
    expect(String(await other)).to.equal("other 1");
  });
});
