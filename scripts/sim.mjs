// `npm run sim -- [--seed N | --seeds A-B] [--steps N]`: builds, then runs test/simulation.
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { build, root } from "./steps.mjs";

build();
const file = join(root, "dist/test/simulation/main.js");
process.exitCode =
  spawnSync(process.execPath, ["--enable-source-maps", file, ...process.argv.slice(2)], {
    cwd: root,
    stdio: "inherit",
  }).status ?? 1;
