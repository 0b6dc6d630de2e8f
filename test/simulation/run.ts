import { appendFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { simulate } from "./simulation.js";

const [first = "1", last = first, steps = "300"] = process.argv.slice(2);
const scratch = mkdtempSync(join(tmpdir(), "tepui-sim-"));
const begun = performance.now();
const { TRACE } = process.env;
for (let seed = Number(first); seed <= Number(last); seed++) {
  const told = TRACE === undefined ? undefined : (line: string) => appendFileSync(TRACE, `${line}\n`);
  const result = await simulate({ seed, steps: Number(steps), scratch, told });
  if (result.failure !== undefined || first === last) {
    const { failure, ...facts } = result;
    if (failure !== undefined) console.log(`${failure.invariant}: ${failure.detail}`);
    console.log(JSON.stringify(facts));
  }
}
console.log(((performance.now() - begun) / (Number(last) - Number(first) + 1)).toFixed(1), "ms a seed");
rmSync(scratch, { recursive: true });
