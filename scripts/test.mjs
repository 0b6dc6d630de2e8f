// `npm test`: builds and runs every test; arguments go to mocha (`npm test -- --grep offers`).
import { spawnSync } from "node:child_process";
import { build, root } from "./steps.mjs";

build();
const args = ["node_modules/mocha/bin/mocha.js", ...process.argv.slice(2)];
const done = spawnSync(process.execPath, args, { cwd: root, stdio: "inherit" });
process.exitCode = done.status ?? 1;
