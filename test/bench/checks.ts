/**
 * `npm run bench -- checks [--tasks=1000] [--interval=1] [--seconds=10]`: what the checks of tasks cost an agent, in CPU of one core: the timing and
 * the checkers as the agent has them, their helper counted in, with a server for each task in another process; and the same connections made by
 * Node with nothing around them. Also in a network of their own, where this can be tried (root, unshare, ip).
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { Socket } from "node:net";
import { parseArgs } from "node:util";
import { TaskChecks } from "../../core/agent/checks/task-checks.js";
import { HttpChecker } from "../../plugins/checkers/http-checker.js";
import { CheckHelper } from "../../plugins/checkers/network/check-helper.js";
import { Network } from "../../plugins/checkers/network/network.js";
import { TcpChecker } from "../../plugins/checkers/tcp-checker.js";
import { type HealthCheck, HealthCheck_Type as HealthType } from "../../proto/gen/mesos/v1/mesos.js";
import { SystemClock } from "../../sdk/contracts/system-clock.js";
import { MemoryLogger } from "../../sdk/testing/memory-logger.js";
import { SeededRandom } from "../../sdk/testing/seeded-random.js";

const { values } = parseArgs({
  options: {
    tasks: { type: "string", default: "1000" },
    interval: { type: "string", default: "1" },
    seconds: { type: "string", default: "10" },
  },
});
const tasks = Number(values.tasks);
const interval = Number(values.interval);
const seconds = Number(values.seconds);

const SERVER = `
const { execFileSync } = require("child_process");
try { execFileSync("ip", ["link", "set", "lo", "up"], { stdio: "ignore" }); } catch {}
const answer = "HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\nConnection: close\\r\\n\\r\\nok";
const ports = [];
let answered = 0;
for (let i = 0; i < Number(process.argv[1]); i++) {
  const server = require("net").createServer((socket) => {
    answered++;
    socket.on("error", () => {}).once("data", () => socket.end(answer));
  });
  server.listen(0, "127.0.0.1", () => {
    if (ports.push(server.address().port) === Number(process.argv[1])) console.log(ports.join(" "));
  });
}
setInterval(() => console.log(answered), 100);
`;

interface Server {
  readonly process: ChildProcess;
  /** One a task. */
  readonly ports: readonly number[];
  /** Connections that it had. */
  answered: number;
}

async function startServer(before: readonly string[]): Promise<Server> {
  const [program, ...args] = [...before, process.execPath, "-e", SERVER, values.tasks];
  const child = spawn(program!, args, { stdio: ["ignore", "pipe", "ignore"] });
  const [line] = (await Promise.race([
    once(child.stdout, "data"),
    once(child, "exit").then(() => Promise.reject(new Error(`${program} failed`))),
  ])) as [Buffer];
  const ports = line.toString().split("\n")[0]!.split(" ").map(Number);
  const server: Server = { process: child, ports, answered: 0 };
  child.stdout.on("data", (text: Buffer) => {
    server.answered = Number(text.toString().trim().split("\n").at(-1));
  });
  return server;
}

/** User and system time of another process, in seconds. */
function cpuOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "latin1")
    .replace(/^.*\) /s, "")
    .split(" ");
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

const ownCpu = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
};

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Lets it get going, and measures from there. */
async function measure(what: string, server: Server, helper: () => number): Promise<void> {
  await sleep(2 * interval * 1000 + 1000);
  const [own, others, made, since] = [ownCpu(), helper(), server.answered, performance.now()];
  await sleep(seconds * 1000);
  const elapsed = (performance.now() - since) / 1000;
  const perSecond = (server.answered - made) / elapsed;
  // Percent of a core for 1,000 a second: tens of microseconds each.
  const each = (seconds: number): number => (100_000 * seconds) / elapsed / perSecond;
  const [agent, rest] = [each(ownCpu() - own), each(helper() - others)];
  const parts = rest > 0 ? ` (agent ${agent.toFixed(1)}, helper ${rest.toFixed(1)})` : "";
  console.log(
    `${what}: ${(agent + rest).toFixed(1)} % of a core for 1,000 a second${parts}; ${perSecond.toFixed(0)} were made`,
  );
}

async function bare(kind: "http" | "tcp", server: Server): Promise<void> {
  const request = Buffer.from("GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n");
  const timers: NodeJS.Timeout[] = [];
  const once = (port: number): void => {
    const socket = new Socket();
    const over = (): void => void socket.destroy();
    socket.on("error", over);
    if (kind === "tcp") socket.on("connect", over);
    else socket.on("connect", () => socket.write(request)).on("data", over);
    socket.connect({ host: "127.0.0.1", port });
  };
  for (let i = 0; i < tasks; i++)
    timers.push(
      setTimeout(
        () => timers.push(setInterval(once, interval * 1000, server.ports[i]!)),
        (i * interval * 1000) / tasks,
      ),
    );
  await measure(`${kind}, bare connections`, server, () => 0);
  for (const timer of timers) clearInterval(timer);
}

async function checked(kind: "http" | "tcp", server: Server, inside: boolean): Promise<void> {
  const logger = new MemoryLogger();
  const helper = new CheckHelper(logger);
  const network = new Network(helper);
  let healthy = 0;
  const checker = kind === "http" ? new HttpChecker(network) : new TcpChecker(network);
  const checks = new TaskChecks({
    checkers: new Map([[kind, checker]]),
    clock: new SystemClock(),
    random: new SeededRandom(1),
    logger,
  });
  const running = Array.from({ length: tasks }, (_, i) => {
    const port = server.ports[i]!;
    const health_check: HealthCheck = {
      ...(kind === "http"
        ? { type: HealthType.HTTP, http: { port, statuses: [] } }
        : { type: HealthType.TCP, tcp: { port } }),
      delay_seconds: (i * interval) / tasks,
      interval_seconds: interval,
    };
    const info = { task_id: { value: `t${i}` }, resources: [], limits: {}, health_check };
    const target = {
      containerId: { value: `c${i}` },
      pid: server.process.pid,
      run: async () => undefined,
    };
    return checks.start({ info, age: 0, reported: [] }, target, {
      checked: () => undefined,
      health: (isHealthy) => {
        healthy += isHealthy ? 1 : -1;
      },
    });
  });
  const what = `${kind}, checks${inside ? " in another network" : ""}`;
  const helpers = (): number => (helper.pid === undefined ? 0 : cpuOf(helper.pid));
  await measure(what, server, helpers);
  for (const one of running) one?.stop();
  if (healthy !== tasks) console.log(`of ${tasks} tasks ${healthy} were found healthy`);
  helper.stop();
}

console.log(`${tasks} tasks, each checked every ${interval} s`);
const server = await startServer([]);
try {
  for (const kind of ["http", "tcp"] as const) {
    await bare(kind, server);
    await checked(kind, server, false);
  }
} finally {
  server.process.kill("SIGKILL");
}
if (process.getuid?.() === 0) {
  const inside = await startServer(["unshare", "--net"]);
  try {
    for (const kind of ["http", "tcp"] as const) await checked(kind, inside, true);
  } finally {
    inside.process.kill("SIGKILL");
  }
}
