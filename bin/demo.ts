import { parseArgs } from "node:util";
import picocolors from "picocolors";
import {
  FrameworkCapability,
  isTerminal,
  resourceList,
  SchedulerClient,
  type TaskInfo,
  TaskState,
} from "../sdk/index.js";
import { OutputFollower, sandboxPath } from "./commands/execute-output.js";
import { LocalCluster } from "./local-cluster.js";

const USAGE = `usage: npm start -- [--once] [--port=5050] [--agent-port=5051] [--grpc-port=5055]

Boots a master and an agent on this machine, runs a small job on them and shows its output.
  --once   end after the job instead of staying up
`;

/** The demo's tasks: each counts the primes in its own range of numbers, with plain shell tools. */
const SLICES = [1, 2, 3];
const SLICE_SIZE = 20_000;
const RESOURCES = "cpus:0.2;mem:32";

interface DemoOptions {
  readonly once: boolean;
  readonly port: number;
  readonly agentPort: number;
  readonly grpcPort: number;
}

/** `npm start`. Resolves to the exit code. */
export async function runDemo(argv: readonly string[]): Promise<number> {
  const options = readOptions(argv);
  if (typeof options === "string") {
    process.stderr.write(options);
    return 1;
  }
  const say = (text: string) => process.stdout.write(`${text}\n`);
  const interrupted = new Promise<void>((resolve) => {
    process.once("SIGINT", resolve);
    process.once("SIGTERM", resolve);
    // The reader is gone: `npm start
    // head`.
    process.stdout.once("error", () => resolve());
    process.stdout.on("error", () => undefined);
  });
  say(privileges());
  let cluster: LocalCluster;
  try {
    cluster = await LocalCluster.start({
      ip: "127.0.0.1",
      masterPort: options.port,
      agentPorts: [options.agentPort],
      grpcPort: options.grpcPort,
      masterFlags: ["--logging_level=WARNING"],
      agentFlags: ["--logging_level=WARNING"],
    });
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n`);
    return 1;
  }
  say(`master  http://${cluster.master}  (scheduler API over HTTP; over gRPC on ${cluster.grpc})`);
  say(`agent   http://127.0.0.1:${options.agentPort}`);
  say(`files   ${cluster.workDir}\n`);
  try {
    const job = runJob(cluster.master, say);
    const first = await Promise.race([job, cluster.failed, interrupted]);
    if (typeof first === "string") process.stderr.write(`${first}\n`);
    if (options.once || first !== true) return first === true ? 0 : 1;
    say(`\nThe cluster stays up. Try: bin/tepui execute --master=${cluster.master} --command='echo hello'`);
    say("Ctrl-C ends it.");
    const failure = await Promise.race([cluster.failed, interrupted]);
    if (failure !== undefined) process.stderr.write(`${failure}\n`);
    return failure === undefined ? 0 : 1;
  } finally {
    await cluster.stop();
  }
}

/** Runs the tasks on the first offer that is large enough; true if all finished. */
async function runJob(master: string, say: (text: string) => void): Promise<boolean> {
  const client = new SchedulerClient({
    master,
    framework: {
      name: "demo",
      roles: ["*"],
      capabilities: [{ type: FrameworkCapability.MULTI_ROLE }, { type: FrameworkCapability.PARTITION_AWARE }],
    },
  });
  const waiting = new Set(SLICES.map((slice) => `primes-${slice}`));
  const outputs = new Map<string, OutputFollower>();
  const drained: Promise<void>[] = [];
  let agent = "";
  let launched = false;
  let failures = 0;
  const done = new Promise<void>((resolve) => {
    client.on("offers", async ({ offers }) => {
      for (const offer of offers) {
        if (launched) await client.decline(offer, { refuse_seconds: 60 });
        else {
          launched = true;
          agent = `http://${offer.url?.address?.ip}:${offer.url?.address?.port}`;
          await client.launch(offer, SLICES.map(countPrimes), { refuse_seconds: 60 });
        }
      }
    });
    client.on("update", async ({ status }) => {
      const id = status.task_id?.value ?? "";
      const state = TaskState[status.state ?? TaskState.TASK_STAGING] ?? "";
      say(
        `${picocolors.bold(id)} ${colored(state)}${status.message ? picocolors.dim(` ${status.message}`) : ""}`,
      );
      if (status.state === TaskState.TASK_RUNNING && !outputs.has(id)) {
        const directory = sandboxPath({ frameworkId: client.frameworkId ?? "", executorId: id });
        outputs.set(id, new OutputFollower({ agent, directory }, prefixed(id, say)));
      }
      if (!isTerminal(status.state)) return;
      if (status.state !== TaskState.TASK_FINISHED) failures++;
      drained.push(outputs.get(id)?.drain() ?? Promise.resolve());
      waiting.delete(id);
      if (waiting.size === 0) resolve();
    });
  });
  await client.start();
  await Promise.race([done, client.finished]);
  await Promise.all(drained);
  await client.teardown();
  say(failures === 0 ? picocolors.green("the job finished") : picocolors.red(`${failures} tasks failed`));
  return failures === 0;
}

function countPrimes(slice: number): Partial<TaskInfo> {
  const from = (slice - 1) * SLICE_SIZE + 2;
  const to = slice * SLICE_SIZE;
  const script =
    `awk 'BEGIN { for (n = ${from}; n <= ${to}; n++) { p = 1; ` +
    `for (d = 2; d * d <= n; d++) if (n % d == 0) { p = 0; break } c += p } ` +
    `printf "%d primes from ${from} to ${to}\\n", c }'; echo "on $(uname -n) in $MESOS_SANDBOX"`;
  return {
    name: `primes-${slice}`,
    task_id: { value: `primes-${slice}` },
    resources: resourceList(RESOURCES),
    command: { value: script, uris: [], arguments: [] },
  };
}

function prefixed(id: string, say: (text: string) => void) {
  const sink = {
    write: (data: string | Uint8Array) => {
      for (const line of Buffer.from(data).toString().split("\n")) if (line !== "") say(`  ${id} | ${line}`);
      return true;
    },
  };
  return { stdout: sink, stderr: sink };
}

function colored(state: string): string {
  if (state === "TASK_FINISHED") return picocolors.green(state);
  return state === "TASK_RUNNING" || state === "TASK_STARTING"
    ? picocolors.cyan(state)
    : picocolors.red(state);
}

function privileges(): string {
  return process.getuid?.() === 0
    ? "Running as root: tasks may run as any user."
    : "Not running as root: tasks run as you; they cannot switch user.";
}

/** The options, or a text to print instead. */
function readOptions(argv: readonly string[]): DemoOptions | string {
  try {
    const { values } = parseArgs({
      args: [...argv],
      options: {
        once: { type: "boolean", default: false },
        port: { type: "string", default: "5050" },
        "agent-port": { type: "string", default: "5051" },
        "grpc-port": { type: "string", default: "5055" },
        help: { type: "boolean", default: false },
      },
    });
    if (values.help) return USAGE;
    const port = (name: "port" | "agent-port" | "grpc-port") => {
      const value = Number(values[name]);
      if (!Number.isInteger(value) || value < 1 || value > 65_535)
        throw new Error(`--${name} must be a port number`);
      return value;
    };
    return {
      once: values.once,
      port: port("port"),
      agentPort: port("agent-port"),
      grpcPort: port("grpc-port"),
    };
  } catch (error) {
    return `${(error as Error).message}\n\n${USAGE}`;
  }
}
