import { expect } from "chai";
import {
  addQuantities,
  containsQuantities,
  parseQuantities,
  quantitiesToRecord,
  subtractQuantities,
} from "../../../sdk/resources/index.js";
import { unwrap } from "./build.js";

const q = (text: string) => unwrap(parseQuantities(text));

describe("quantities", () => {
  it("are read, added up and rid of zeros", () => {
    expect([...q("cpus:0.01; mem :32;cpus:1;disk:0")]).to.deep.equal([
      ["cpus", 1010],
      ["mem", 32_000],
    ]);
    expect(quantitiesToRecord(q("cpus:1.5"))).to.deep.equal({ cpus: 1.5 });
  });

  it("add, subtract and compare", () => {
    expect(addQuantities(q("cpus:1"), q("cpus:1;mem:2"))).to.deep.equal(q("cpus:2;mem:2"));
    expect(subtractQuantities(q("cpus:2;mem:2"), q("cpus:2;mem:1;disk:5"))).to.deep.equal(q("mem:1"));
    expect(containsQuantities(q("cpus:2;mem:2"), q("cpus:2"))).to.equal(true);
    expect(containsQuantities(q("cpus:2"), q("cpus:2;mem:1"))).to.equal(false);
  });

  const errors: [string, string][] = [
    ["cpus", "Failed to parse 'cpus': missing or extra ':'"],
    ["cpus:1:2", "Failed to parse 'cpus:1:2': missing or extra ':'"],
    ["cpus:[1-", "Failed to parse '[1-' to quantity: Mismatched brackets"],
    ["ports:[1-2]", "Failed to parse '[1-2]' to quantity: only scalar values are allowed"],
    ["cpus:-1", "Failed to parse '-1' to quantity: only scalar values are allowed"],
  ];
  for (const [text, error] of errors) {
    it(`refuse ${text}`, () => {
      expect(parseQuantities(text)).to.deep.equal({ ok: false, error });
    });
  }
});
