/**
 * `npm run bench -- allocator [--agents=1000,10000] [--frameworks=1,200,1000] [--full] [--only=grid,quota,...] [--sorter=random]
 * [--out=FILE]`: the allocator alone, on the grid of Mesos's own allocator benchmarks. Prints tables, saves all figures as JSON, and
 * fits the cost of a cycle to a line.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { dirname } from "node:path";
import { parseArgs } from "node:util";
import { linearFit } from "./allocator-fit.js";
import {
  addOneByOne,
  type Figures,
  filters,
  grid,
  revives,
  type Size,
  withoutQuota,
  withQuota,
} from "./allocator-scenarios.js";

const FULL_AGENTS = "1000,5000,10000,20000,30000,50000";
const FULL_FRAMEWORKS = "1,50,100,200,500,1000,3000,6000";

const { values } = parseArgs({
  options: {
    agents: { type: "string", default: "1000,5000,10000" },
    frameworks: { type: "string", default: "1,200,1000" },
    full: { type: "boolean", default: false },
    only: { type: "string", default: "grid,no-quota,quota,one-by-one,filters,revives" },
    sorter: { type: "string", default: "drf" },
    out: { type: "string", default: ".build/bench/allocator.json" },
  },
});

const numbers = (text: string): number[] => text.split(",").map(Number);
const sorter = values.sorter === "random" ? "random" : "drf";
const sizes: Size[] = numbers(values.full ? FULL_AGENTS : values.agents).flatMap((agents) =>
  numbers(values.full ? FULL_FRAMEWORKS : values.frameworks).map((frameworks) => ({
    agents,
    frameworks,
    sorter,
  })),
);
const largest = { agents: Math.min(10_000, Math.max(...sizes.map(({ agents }) => agents))), sorter } as const;
const scenarios: Record<string, { run: (size: Size) => Figures; sizes: readonly Size[] }> = {
  grid: { run: grid, sizes },
  "no-quota": { run: withoutQuota, sizes: [{ ...largest, frameworks: 1000 }] },
  quota: { run: withQuota, sizes: [{ ...largest, frameworks: 1000 }] },
  "one-by-one": { run: addOneByOne, sizes: [{ ...largest, frameworks: 1000 }] },
  filters: { run: filters, sizes: [{ ...largest, frameworks: 200 }] },
  revives: { run: revives, sizes: [{ ...largest, frameworks: 1000 }] },
};

interface Row extends Figures {
  agents: number;
  frameworks: number;
}

const results: Record<string, Row[]> = {};
for (const name of values.only.split(",")) {
  const scenario = scenarios[name];
  if (scenario === undefined)
    throw new Error(`no such scenario: ${name}; there are ${Object.keys(scenarios).join(", ")}`);
  const rows: Row[] = [];
  results[name] = rows;
  // The first run is also the compiler's.
  scenario.run({ agents: 500, frameworks: 20, sorter });
  for (const size of scenario.sizes) {
    rows.push({ agents: size.agents, frameworks: size.frameworks, ...scenario.run(size) });
  }
  console.log(`\n${name} (${sorter} sorters)`);
  console.table(
    rows.map((row) => Object.fromEntries(Object.entries(row).map(([key, value]) => [key, round(value)]))),
  );
}

if (results.grid !== undefined && new Set(results.grid.map(({ agents }) => agents)).size > 1) {
  for (const figure of ["first_ms", "steady_ms"]) {
    const fit = linearFit(results.grid.map((row) => ({ x: row.agents, y: row[figure]! })));
    console.log(
      `${figure} over all sizes: ${(fit.slope * 1000).toFixed(2)} us an agent + ${fit.intercept.toFixed(1)} ms, R2 ${fit.r2.toFixed(3)}`,
    );
  }
}
mkdirSync(dirname(values.out), { recursive: true });
const machine = { cpu: cpus()[0]?.model, node: process.version };
writeFileSync(values.out, `${JSON.stringify({ machine, sorter, results }, undefined, 2)}\n`);
console.log(`saved ${values.out}`);

function round(value: number): number {
  return Number(value.toPrecision(value >= 1000 ? 5 : 3));
}
