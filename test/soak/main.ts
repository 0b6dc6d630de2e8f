/**
 * `npm run soak -- agent-kills [--kills=N] [--seed=N] [--launcher=linux|posix]`, `npm run soak -- chaos [--minutes=N] [--seed=N] [--keep]` and
 * `npm run soak -- attachments [--cycles=N] [--seed=N] [--launcher=linux|posix]`
 */
import { parseArgs } from "node:util";
import { killAgents } from "./agent-kills.js";
import { attachAndLetGo } from "./attachments.js";
import { runChaos } from "./chaos/chaos.js";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    kills: { type: "string", default: "200" },
    cycles: { type: "string", default: "1000" },
    minutes: { type: "string", default: "5" },
    seed: { type: "string", default: String(Date.now() % 1_000_000) },
    launcher: { type: "string", default: "linux" },
    keep: { type: "boolean", default: false },
  },
});

interface Result {
  /** What was done. */
  readonly count: string;
  readonly ends: Readonly<Record<string, number>>;
  readonly faults: readonly string[];
}

const seed = Number(values.seed);
const line = (text: string) => void process.stdout.write(`${text}\r`);
const SOAKS: Readonly<Record<string, () => Promise<Result>>> = {
  "agent-kills": async () => {
    const kills = Number(values.kills);
    const { tasks, ...rest } = await killAgents({ kills, seed, launcher: launcher(), progress: line });
    return { count: `${tasks} tasks`, ...rest };
  },
  attachments: async () => {
    const cycles = Number(values.cycles);
    const result = await attachAndLetGo({ cycles, seed, launcher: launcher(), progress: line });
    return { count: `${cycles} attachments`, ...result };
  },
  chaos: async () => {
    const progress = (text: string) => void process.stdout.write(`${text}\n`);
    const milliseconds = Number(values.minutes) * 60_000;
    const { tasks, ...rest } = await runChaos({ milliseconds, seed, keep: values.keep, progress });
    return { count: `${tasks} tasks`, ...rest };
  },
};

function launcher(): "linux" | "posix" {
  if (values.launcher === "linux" || values.launcher === "posix") return values.launcher;
  return usage();
}

function usage(): never {
  process.stderr.write(
    "usage: npm run soak -- agent-kills [--kills=N] [--seed=N] [--launcher=linux|posix]\n" +
      "       npm run soak -- attachments [--cycles=N] [--seed=N] [--launcher=linux|posix]\n" +
      "       npm run soak -- chaos [--minutes=N] [--seed=N] [--keep]\n",
  );
  process.exit(1);
}

const soak = SOAKS[positionals[0] ?? ""] ?? usage();
process.stdout.write(`seed ${seed}\n`);
const { count, ends, faults } = await soak();
process.stdout.write(`\n${count} ended: ${JSON.stringify(ends)}\n`);
for (const fault of faults) process.stdout.write(`FAULT ${fault}\n`);
process.exitCode = faults.length > 0 ? 1 : 0;
