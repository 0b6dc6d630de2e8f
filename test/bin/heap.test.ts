import { execFileSync } from "node:child_process";
import { expect } from "chai";

const HEAP = new URL("../../bin/heap.js", import.meta.url).href;

/** Megabytes for new objects in a process that makes many, of which many live for a while. */
function newSpaceOf(script: string): number {
  const source = `
    import { getHeapSpaceStatistics } from "node:v8";
    import { Worker } from "node:worker_threads";
    import { sizeHeap } from ${JSON.stringify(HEAP)};
    const churn = (total, alive) => {
      let kept = [];
      for (let i = 0; i < total; i++) {
        kept.push([i]);
        if (kept.length > alive) kept = [];
      }
    };
    const settled = () => new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
    const worker = async () => {
      const one = new Worker("", { eval: true });
      await new Promise((resolve) => one.once("online", resolve));
      await settled();
    };
    ${script}
    const space = getHeapSpaceStatistics().find(({ space_name }) => space_name === "new_space");
    console.log(space.space_size / 1024 / 1024);
  `;
  const args = ["--input-type=module", "--eval", source];
  return Number(execFileSync(process.execPath, args, { encoding: "utf8" }));
}

describe("the heap of a daemon", function () {
  this.timeout(60_000);

  it("grows as V8 likes where nobody says otherwise", () => {
    expect(newSpaceOf("churn(1e6, 1e5);")).to.be.greaterThan(8);
  });

  it("stays small in an agent, also after a thread was started", () => {
    expect(newSpaceOf('sizeHeap("agent"); churn(1e6, 1e5); await worker(); churn(1e6, 1e5);')).to.be.lessThan(
      5,
    );
  });

  it("stays small in a small master, and grows in one that has much to remember", () => {
    // Of its two halves one is free at any time.
    const small = `
      sizeHeap("master");
      for (let round = 0; round < 400; round++) {
        churn(3e4, 1e4);
        await settled();
      }
      churn(1e6, 1e5);
    `;
    expect(newSpaceOf(small)).to.be.within(4, 9);
    const large = `
      sizeHeap("master");
      const remembered = Array.from({ length: 1e6 }, (_, i) => ({ i, list: [i] }));
      for (let round = 0; round < 40; round++) {
        churn(3e5, 1e5);
        await settled();
      }
      churn(remembered.length, 1e5);
    `;
    expect(newSpaceOf(large)).to.be.greaterThan(8);
  });
});
