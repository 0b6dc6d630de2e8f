/**
 * `npm run soak -- agent-kills [--kills=N] [--seed=N] [--launcher=linux|posix] [--tasks=KIND,...] [--helper-kills=PART]`,
 * `npm run soak -- chaos [--minutes=N] [--seed=N] [--keep]` and
 * `npm run soak -- attachments [--cycles=N] [--seed=N] [--launcher=linux|posix]`
 */
import { parseArgs } from "node:util";
import { killAgents } from "./agent-kills/agent-kills.js";
import { isKind, KIND_NAMES, type KindName } from "./agent-kills/task-kinds.js";
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
    tasks: { type: "string" },
    "helper-kills": { type: "string", default: "0.2" },
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
    const helperKills = Number(values["helper-kills"]);
    const options = { kills, seed, launcher: launcher(), kinds: kinds(), helperKills, progress: line };
    const { tasks, ...rest } = await killAgents(options, DEMANDING);
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

/** All, unless some are named. Root file systems need the launcher of control groups and namespaces. */
function kinds(): readonly KindName[] {
  const all = KIND_NAMES.filter((name) => name !== "boxed" || launcher() === "linux");
  const names = values.tasks?.split(",") ?? all;
  return names.every(isKind) ? names : usage();
}

/** What is missing has been said. */
const DEMANDING = {
  skip: (): never => process.exit(1),
};

function usage(): never {
  process.stderr.write(
    "usage: npm run soak -- agent-kills [--kills=N] [--seed=N] [--launcher=linux|posix]\n" +
      `         [--tasks=KIND,...] [--helper-kills=PART]; kinds: ${KIND_NAMES.join(", ")}\n` +
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
