/**
 * `npm run bench -- allocator [--agents=1000,10000] [--frameworks=1,200,1000] [--full] [--only=grid,quota,...] [--sorter=random]
 * [--runs=3] [--out=FILE]`: the allocator alone, on the grid of Mesos's own allocator benchmarks. Each size has several runs, of which
 * the medians count, and the longest block of all. Prints tables, saves all figures as JSON, and tells with which power of the number of
 * agents, frameworks and changed agents the cost of a cycle grows.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { dirname } from "node:path";
import { parseArgs } from "node:util";
import type { Figures } from "./allocator-figures.js";
import { exponent, linearFit, medians, summary } from "./allocator-fit.js";
import {
  addOneByOne,
  changes,
  filters,
  grid,
  revives,
  type Size,
  withoutQuota,
  withQuota,
} from "./allocator-scenarios.js";

const WARM_UP = { agents: 5000, frameworks: 200, changed: 500 };
const WARM_UPS = 2;
const FULL_AGENTS = "1000,5000,10000,20000,30000,50000";
const FULL_FRAMEWORKS = "1,50,100,200,500,1000,3000,6000";

const { values } = parseArgs({
  options: {
    agents: { type: "string", default: "1000,5000,10000" },
    frameworks: { type: "string", default: "1,200,1000" },
    full: { type: "boolean", default: false },
    only: { type: "string", default: "grid,changes,no-quota,quota,one-by-one,filters,revives" },
    runs: { type: "string", default: "3" },
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
const runs = Number(values.runs);
/** As many as there are in the smallest cluster, and more and more of them in the largest one. */
const changed = ((): (Size & { changed: number })[] => {
  const all = [...new Set(sizes.map(({ agents }) => agents))];
  const [least, most] = [Math.min(...all), Math.max(...all)];
  const few = all.map((agents) => ({ agents, frameworks: 200, sorter, changed: least / 10 }) as const);
  const many = [1, 2, 4, 8].map(
    (n) => ({ agents: most, frameworks: 200, sorter, changed: (n * most) / 16 }) as const,
  );
  return [...few, ...many];
})();
const scenarios: Record<
  string,
  { run: (size: Size & { changed: number }) => Figures; sizes: readonly Size[] }
> = {
  grid: { run: grid, sizes },
  changes: { run: changes, sizes: changed },
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
  // The first runs are also the compiler's.
  for (let i = 0; i < WARM_UPS; i++) scenario.run({ ...WARM_UP, sorter });
  for (const size of scenario.sizes) {
    const figures = Array.from({ length: runs }, () => scenario.run({ changed: 0, ...size }));
    rows.push({ agents: size.agents, frameworks: size.frameworks, ...summary(figures) });
  }
  console.log(`\n${name} (${sorter} sorters)`);
  console.table(
    rows.map((row) => Object.fromEntries(Object.entries(row).map(([key, value]) => [key, round(value)]))),
  );
}

const distinct = (values: readonly number[]): number => new Set(values).size;
const fits: Record<string, number> = {};
const tell = (what: string, points: readonly { x: number; y: number }[]): void => {
  if (distinct(points.map(({ x }) => x)) < 2) return;
  fits[what] = exponent(points);
  console.log(`${what}: to the power of ${fits[what].toFixed(2)}`);
};

for (const figure of ["first_ms", "steady_ms"]) {
  const points = (results.grid ?? []).map((row) => ({ x: row.agents, y: row[figure]! }));
  if (distinct(points.map(({ x }) => x)) < 2) continue;
  const { slope, intercept, r2 } = linearFit(medians(points));
  console.log(
    `${figure}: ${(slope * 1000).toFixed(2)} us an agent + ${intercept.toFixed(1)} ms, R2 ${r2.toFixed(3)} of the medians over all numbers of frameworks`,
  );
  tell(`${figure} with agents`, medians(points));
}
const largeRows = (results.grid ?? []).filter(
  ({ agents, frameworks }) => agents === Math.max(...sizes.map((size) => size.agents)) && frameworks > 1,
);
for (const figure of ["first_ms", "steady_ms"]) {
  tell(
    `${figure} with frameworks`,
    largeRows.map((row) => ({ x: row.frameworks, y: row[figure]! })),
  );
}
const few = Math.min(...changed.map((size) => size.changed));
const cycles = (results.changes ?? []).map((row) => ({
  agents: row.agents,
  changed: row.changed ?? 0,
  y: row.cycle_ms ?? 0,
}));
tell(
  "a cycle with changed agents",
  cycles.filter((row) => row.changed !== few).map(({ changed: x, y }) => ({ x, y })),
);
tell(
  "a cycle with agents of which as many changed",
  cycles.filter((row) => row.changed === few).map(({ agents: x, y }) => ({ x, y })),
);
for (const [name, rows] of Object.entries(results)) {
  const worst = Math.max(...rows.map((row) => row.longest_block_ms ?? 0));
  if (worst > 0)
    console.log(`${name}: the event loop was never blocked for longer than ${worst.toFixed(1)} ms`);
}
mkdirSync(dirname(values.out), { recursive: true });
const machine = { cpu: cpus()[0]?.model, node: process.version };
writeFileSync(
  values.out,
  `${JSON.stringify({ machine, sorter, runs, results, exponents: fits }, undefined, 2)}\n`,
);
console.log(`saved ${values.out}`);

function round(value: number): number {
  return Number(value.toPrecision(value >= 1000 ? 5 : 3));
}
