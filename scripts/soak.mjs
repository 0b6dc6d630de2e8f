// `npm run soak -- NAME [options]`: builds, then does the same over and over; says what went wrong, and how to see it again.
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { build, root } from "./steps.mjs";

build();
const args = [join(root, "dist/test/soak/main.js"), ...process.argv.slice(2)];
process.exitCode = spawnSync(process.execPath, args, { cwd: root, stdio: "inherit" }).status ?? 1;
