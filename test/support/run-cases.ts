/**
 * Arguments: file for the report, regular expression of titles, test files. Runs mocha in this process and writes what came of each case
 * as JSON. Mocha's own JSON reporter writes what was compared, too, and fails for what JSON cannot tell: a bigint, a cycle.
 */
import { writeFileSync } from "node:fs";
import Mocha, { type Runner, type Test } from "mocha";
import { PATIENCE } from "./eventually.js";

export interface CaseOutcome {
  readonly title: string;
  readonly outcome: "passed" | "failed" | "skipped";
  readonly error?: string;
}

interface CaseRun {
  readonly grep: string;
  readonly specs: readonly string[];
  readonly timeoutMs: number;
}

/** What came of each case, in the order in which that became known; hooks that failed are among them. */
async function runCases({ grep, specs, timeoutMs }: CaseRun): Promise<CaseOutcome[]> {
  const outcomes: CaseOutcome[] = [];
  const note = (outcome: CaseOutcome["outcome"]) => (test: Test, error?: Error) => {
    const told = error === undefined ? {} : { error: error.stack ?? error.message };
    outcomes.push({ title: test.fullTitle(), outcome, ...told });
  };
  class Outcomes {
    constructor(runner: Runner) {
      const { EVENT_TEST_PASS, EVENT_TEST_FAIL, EVENT_TEST_PENDING } = Mocha.Runner.constants;
      runner.on(EVENT_TEST_PASS, note("passed"));
      runner.on(EVENT_TEST_FAIL, note("failed"));
      runner.on(EVENT_TEST_PENDING, note("skipped"));
    }
  }
  const mocha = new Mocha({
    timeout: timeoutMs,
    grep: new RegExp(grep),
    reporter: Outcomes as unknown as Mocha.ReporterConstructor,
  });
  for (const spec of specs) mocha.addFile(spec);
  await mocha.loadFilesAsync();
  await new Promise<number>((resolve) => mocha.run(resolve));
  return outcomes;
}

if (process.argv[1] === import.meta.filename) {
  const [report = "", grep = "", ...specs] = process.argv.slice(2);
  const outcomes = await runCases({ grep, specs, timeoutMs: 20_000 * PATIENCE });
  writeFileSync(report, JSON.stringify(outcomes));
  // Whatever a case left open does not keep it.
  process.exit(outcomes.some(({ outcome }) => outcome === "failed") ? 1 : 0);
}
