// `npm test`: builds, checks, and runs every test. With arguments, which go to mocha (`npm test -- --grep offers`), only the tests.
import { spawnSync } from "node:child_process";
import { build, root } from "./steps.mjs";

build();
// What this host is configured for is none of the tests' business.
const { MESOS_ZK, MESOS_MASTER, ...others } = process.env;
const env = { ...others, TEPUI_ETC: "/nonexistent" };
const run = (...args) => spawnSync(process.execPath, args, { cwd: root, env, stdio: "inherit" }).status ?? 1;
const mochaArgs = process.argv.slice(2);
const checked = mochaArgs.length > 0 ? 0 : run("scripts/check.mjs");
const tested = run("node_modules/mocha/bin/mocha.js", ...mochaArgs);
process.exitCode = checked || tested;
