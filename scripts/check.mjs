// `npm run check`: types, format, lint, import order and dead code. Every finding is an error; all checks run before it ends.
import { spawnSync } from "node:child_process";
import { generate, install, root } from "./steps.mjs";

install();
generate();
const checks = [
  ["types", ["node_modules/typescript/bin/tsc", "-p", ".", "--noEmit", "--incremental", "false"]],
  ["format and lint", ["node_modules/@biomejs/biome/bin/biome", "ci", "."]],
  ["import order", ["scripts/import-order.mjs"]],
  ["dead code", ["node_modules/knip/bin/knip.js", "--no-progress"]],
];
let failed = 0;
for (const [label, args] of checks) {
  const done = spawnSync(process.execPath, args, { cwd: root, encoding: "utf8", maxBuffer: 1 << 26 });
  const ok = done.status === 0;
  process.stdout.write(`${ok ? "ok    " : "FAILED"} ${label}\n`);
  if (ok) continue;
  failed++;
  process.stdout.write(`${done.stdout}${done.stderr}\n`);
}
process.exitCode = failed === 0 ? 0 : 1;
