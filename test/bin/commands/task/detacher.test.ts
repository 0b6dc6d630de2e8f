import { expect } from "chai";
import { Detacher } from "../../../../bin/commands/task/detacher.js";

describe("keys that let go of a container", () => {
  const typed = (...chunks: readonly string[]): { passed: string; detached: boolean } => {
    const detacher = new Detacher();
    const passed = chunks.map((chunk) => detacher.pass(Buffer.from(chunk, "latin1")).toString("latin1"));
    return { passed: passed.join(""), detached: detacher.detached };
  };

  it("are found in one chunk and in two", () => {
    expect(typed("ab\u0010\u0011cd")).to.deep.equal({ passed: "ab", detached: true });
    expect(typed("ab\u0010", "\u0011cd")).to.deep.equal({ passed: "ab", detached: true });
  });

  it("pass on alone, the first with what comes next", () => {
    expect(typed("a\u0011b\u0010c")).to.deep.equal({ passed: "a\u0011b\u0010c", detached: false });
    expect(typed("a\u0010", "b")).to.deep.equal({ passed: "a\u0010b", detached: false });
    expect(typed("\u0010", "\u0010", "x")).to.deep.equal({ passed: "\u0010\u0010x", detached: false });
  });
});
