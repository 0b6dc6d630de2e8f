// `npm run bench -- NAME [options]`: builds, then runs test/bench/NAME.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { build, root } from "./steps.mjs";

const [name, ...args] = process.argv.slice(2);
const names = [
  "allocator",
  "checks",
  "containers",
  "executors",
  "failover",
  "launch",
  "launchers",
  "load",
  "master",
];
if (!names.includes(name)) {
  process.stderr.write(`usage: npm run bench -- ${names.join("|")} [options]\n`);
  process.exit(1);
}
build();
const file = join(root, "dist/test/bench", `${name}.js`);
if (!existsSync(file)) throw new Error(`${file} is missing`);
process.exitCode = spawnSync(process.execPath, [file, ...args], { cwd: root, stdio: "inherit" }).status ?? 1;
