/** `npm run soak -- agent-kills [--kills=N] [--seed=N] [--launcher=linux|posix]` and `npm run soak -- chaos [--minutes=N] [--seed=N] [--keep]` */
import { parseArgs } from "node:util";
import { killAgents } from "./agent-kills.js";
import { runChaos } from "./chaos/chaos.js";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    kills: { type: "string", default: "200" },
    minutes: { type: "string", default: "5" },
    seed: { type: "string", default: String(Date.now() % 1_000_000) },
    launcher: { type: "string", default: "linux" },
    keep: { type: "boolean", default: false },
  },
});

interface Result {
  readonly tasks: number;
  readonly ends: Readonly<Record<string, number>>;
  readonly faults: readonly string[];
}

const seed = Number(values.seed);
const SOAKS: Readonly<Record<string, () => Promise<Result>>> = {
  "agent-kills": () => {
    const { launcher } = values;
    if (launcher !== "linux" && launcher !== "posix") usage();
    const progress = (text: string) => void process.stdout.write(`${text}\r`);
    return killAgents({ kills: Number(values.kills), seed, launcher, progress });
  },
  chaos: () => {
    const progress = (text: string) => void process.stdout.write(`${text}\n`);
    return runChaos({ milliseconds: Number(values.minutes) * 60_000, seed, keep: values.keep, progress });
  },
};

function usage(): never {
  process.stderr.write(
    "usage: npm run soak -- agent-kills [--kills=N] [--seed=N] [--launcher=linux|posix]\n" +
      "       npm run soak -- chaos [--minutes=N] [--seed=N] [--keep]\n",
  );
  process.exit(1);
}

const soak = SOAKS[positionals[0] ?? ""] ?? usage();
process.stdout.write(`seed ${seed}\n`);
const { tasks, ends, faults } = await soak();
process.stdout.write(`\n${tasks} tasks ended: ${JSON.stringify(ends)}\n`);
for (const fault of faults) process.stdout.write(`FAULT ${fault}\n`);
process.exitCode = faults.length > 0 ? 1 : 0;
