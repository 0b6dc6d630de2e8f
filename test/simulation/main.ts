import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { Worker } from "node:worker_threads";
import { MUTATIONS, type Mutation } from "./mutations.js";
import { type SimulationResult, simulate } from "./simulation.js";
import type { WorkerTask } from "./worker.js";

const USAGE = `usage: npm run sim -- [--seed N | --seeds A-B] [--steps N] [--workers N] [--wide] [--trace] [--break RULE]
rules: ${MUTATIONS.join(", ")}
`;

const DEFAULT_STEPS = 250;
/** Lines of the trace shown for a failed run. */
const SHOWN_LINES = 80;
/** Failures shown with their trace. */
const SHOWN_FAILURES = 3;

interface Settings {
  readonly first: number;
  readonly last: number;
  readonly steps: number;
  readonly workers: number;
  readonly trace: boolean;
  readonly wide: boolean;
  readonly mutation: Mutation | undefined;
}

/** Throws an Error if the arguments make no sense. */
function settings(args: readonly string[]): Settings {
  const { values } = parseArgs({
    args: [...args],
    options: {
      seed: { type: "string" },
      seeds: { type: "string" },
      steps: { type: "string", default: String(DEFAULT_STEPS) },
      workers: { type: "string", default: String(availableParallelism()) },
      trace: { type: "boolean", default: false },
      wide: { type: "boolean", default: false },
      break: { type: "string" },
    },
  });
  const [first = "1", last = first] = (values.seeds ?? values.seed ?? "1-100").split("-");
  const mutation = MUTATIONS.find((name) => name === values.break);
  if (values.break !== undefined && mutation === undefined)
    throw new Error(`there is no rule '${values.break}'`);
  return {
    first: count(first),
    last: count(last),
    steps: count(values.steps),
    workers: count(values.workers),
    trace: values.trace,
    wide: values.wide,
    mutation,
  };
}

function count(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1) throw new Error(`'${text}' is no number from 1 on`);
  return value;
}

function report(result: SimulationResult, { mutation, wide }: Settings, lines: number): void {
  const { seed, steps, failure } = result;
  if (failure === undefined) return;
  const replay = `npm run sim -- --seed ${seed} --steps ${steps}${wide ? " --wide" : ""}${mutation === undefined ? "" : ` --break ${mutation}`}`;
  console.log(`\nseed ${seed}, step ${failure.step}: it does not hold that ${failure.invariant}`);
  for (const line of lines === 0 ? [] : failure.trace.slice(-lines)) console.log(line);
  console.log(`${failure.detail}\nreplay: ${replay} --trace`);
}

async function one(options: Settings): Promise<boolean> {
  const told = options.trace ? (line: string) => console.log(line) : undefined;
  const result = await simulate({ ...options, seed: options.first, told });
  report(result, options, options.trace ? 0 : SHOWN_LINES);
  const { digest, events, tasks, time } = result;
  console.log(
    `digest ${digest}: ${events} events, ${tasks} tasks, ${Math.round(time / 1000)} virtual seconds`,
  );
  return result.failure === undefined;
}

async function many(options: Settings): Promise<boolean> {
  const { first, last, steps, mutation, wide } = options;
  const stride = Math.min(options.workers, last - first + 1);
  const begun = performance.now();
  let done = 0;
  let events = 0;
  const failed: number[] = [];
  const take = (result: SimulationResult): void => {
    done++;
    events += result.events;
    if (result.failure !== undefined) {
      failed.push(result.seed);
      report(result, options, failed.length <= SHOWN_FAILURES ? SHOWN_LINES : 0);
    }
    if (done % 500 === 0) process.stderr.write(`${done} seeds, ${failed.length} failed\n`);
  };
  const workers = Array.from({ length: stride }, (_, i) => {
    const workerData: WorkerTask = { first: first + i, last, stride, steps, mutation, wide };
    return new Promise<void>((resolve, reject) => {
      const worker = new Worker(new URL("./worker.js", import.meta.url), { workerData });
      worker.on("message", take);
      worker.once("error", reject);
      worker.once("exit", () => resolve());
    });
  });
  await Promise.all(workers);
  const seconds = (performance.now() - begun) / 1000;
  console.log(
    `${done} seeds of ${steps} steps, ${events} events in ${seconds.toFixed(1)} s: ${
      failed.length === 0
        ? "all held"
        : `${failed.length} failed (${failed.sort((a, b) => a - b).join(", ")})`
    }`,
  );
  return failed.length === 0;
}

async function main(args: readonly string[]): Promise<number> {
  let options: Settings;
  try {
    options = settings(args);
  } catch (error) {
    process.stderr.write(`${String((error as Error).message)}\n${USAGE}`);
    return 2;
  }
  const held = options.first === options.last ? await one(options) : await many(options);
  return held ? 0 : 1;
}

process.exitCode = await main(process.argv.slice(2));
