/** `npm run soak -- agent-kills [--kills=N] [--seed=N] [--launcher=linux|posix]` */
import { parseArgs } from "node:util";
import { killAgents } from "./agent-kills.js";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    kills: { type: "string", default: "200" },
    seed: { type: "string", default: String(Date.now() % 1_000_000) },
    launcher: { type: "string", default: "linux" },
  },
});
if (positionals[0] !== "agent-kills" || (values.launcher !== "linux" && values.launcher !== "posix")) {
  process.stderr.write(
    "usage: npm run soak -- agent-kills [--kills=N] [--seed=N] [--launcher=linux|posix]\n",
  );
  process.exit(1);
}
const { launcher } = values;
process.stdout.write(`seed ${values.seed}\n`);
const result = await killAgents({
  kills: Number(values.kills),
  seed: Number(values.seed),
  launcher,
  progress: (text) => process.stdout.write(`${text}\r`),
});
process.stdout.write(`\n${result.tasks} tasks ended: ${JSON.stringify(result.ends)}\n`);
for (const fault of result.faults) process.stdout.write(`FAULT ${fault}\n`);
process.exitCode = result.faults.length > 0 ? 1 : 0;
