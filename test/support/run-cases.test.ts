import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import type { CaseOutcome } from "./run-cases.js";

const PROGRAM = join(import.meta.dirname, "run-cases.js");
const SPEC = `
const failing = (actual, expected) => { throw Object.assign(new Error("differs"), { actual, expected }); };
describe("suite", () => {
  it("passes", () => {});
  it.skip("waits", () => {});
  it("compares bigints", () => failing(1n, { deep: 2n }));
  it("compares a cycle", () => { const cycle = {}; cycle.cycle = cycle; failing(cycle, 1); });
  it("is left out", () => failing(1, 2));
  describe("with a hook", () => {
    before(() => failing(3n, 4n));
    it("never runs", () => {});
  });
});
`;

describe("cases that are run elsewhere", () => {
  it("are told whatever they compare", async () => {
    const folder = await mkdtemp(join(tmpdir(), "tepui-cases-"));
    try {
      const [spec, report] = [join(folder, "spec.mjs"), join(folder, "report.json")];
      await writeFile(spec, SPEC);
      const code = await new Promise((resolve) => {
        execFile(process.execPath, [PROGRAM, report, "^(?!.*left out)", spec], (error) =>
          resolve(error?.code ?? 0),
        );
      });
      expect(code).to.equal(1);
      const outcomes = JSON.parse(await readFile(report, "utf8")) as CaseOutcome[];
      expect(outcomes.map(({ title, outcome }) => [title, outcome])).to.deep.equal([
        ["suite passes", "passed"],
        ["suite waits", "skipped"],
        ["suite compares bigints", "failed"],
        ["suite compares a cycle", "failed"],
        ['suite with a hook "before all" hook for "never runs"', "failed"],
      ]);
      for (const { outcome, error } of outcomes) {
        if (outcome === "failed") expect(error).to.match(/^Error: differs\n +at /);
        else expect(error).to.equal(undefined);
      }
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});
