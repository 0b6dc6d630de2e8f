import { expect } from "chai";
import { SharedReads } from "../../../sdk/http/shared-reads.js";

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe("reads that many ask for at a time", () => {
  let now: number;
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
    reads = new SharedReads({ monotonic: () => now });
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
    expect(String(await later)).to.equal("state 2");
  });

  it("leave the event loop the turns in which others come who ask the same", async () => {
    const answers: Promise<Buffer>[] = [];
    for (let client = 0; client < 50; client++) {
      answers.push(reads.ask("state", state));
      await turn();
    }
    const texts = (await Promise.all(answers)).map(String);
    expect(written, "once for the first, once for all others").to.have.length(2);
    expect(texts.at(-1)).to.equal("state 2");
  });

  it("are not kept waiting by a busy event loop for longer than the answer before took", async () => {
    const answers = [reads.ask("a", () => state("a")), reads.ask("b", () => state("b"))];
    await turn();
    now += 99;
    await turn();
    expect(written).to.deep.equal(["a"]);
    now += 1;
    await turn();
    expect((await Promise.all(answers)).map(String)).to.deep.equal(["a 1", "b 2"]);
  });

  it("fail for all who wait where they cannot be written, and for nobody else", async () => {
    const broken = () => {
      throw new Error("broken");
    };
    const failing = [reads.ask("state", broken), reads.ask("state", broken)].map((answer) =>
      answer.then(String, (error: Error) => error.message),
    );
    const other = reads.ask("other", () => state("other"));
    expect(await Promise.all(failing)).to.deep.equal(["broken", "broken"]);
    expect(String(await other)).to.equal("other 1");
  });
});
