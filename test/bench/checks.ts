/**
 * `npm run bench -- checks [--tasks=1000] [--interval=1] [--seconds=10]`: what the checks of tasks cost an agent, in CPU of one core: the timing and
 * the checkers as the agent has them, with a server in a process of its own; and the same connections made by Node with nothing around them. Also
 * through the helper for containers in networks of their own, where this can be tried (root, unshare, ip).
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { Socket } from "node:net";
import { parseArgs } from "node:util";
import { TaskChecks } from "../../core/agent/checks/task-checks.js";
import { HttpChecker } from "../../plugins/checkers/http-checker.js";
import { NamespaceHelper } from "../../plugins/checkers/network/namespace-helper.js";
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
const server = require("net").createServer((socket) => {
  socket.on("error", () => {}).once("data", () => socket.end(answer));
});
server.listen(0, "127.0.0.1", 1024, () => console.log(server.address().port));
`;

interface Server {
  readonly process: ChildProcess;
  readonly port: number;
}

async function startServer(before: readonly string[]): Promise<Server> {
  const [program, ...args] = [...before, process.execPath, "-e", SERVER];
  const child = spawn(program!, args, { stdio: ["ignore", "pipe", "ignore"] });
  const [line] = (await Promise.race([
    once(child.stdout, "data"),
    once(child, "exit").then(() => Promise.reject(new Error(`${program} failed`))),
  ])) as [Buffer];
  return { process: child, port: Number(line.toString()) };
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
async function measure(what: string, cpu: () => number, done: () => number): Promise<void> {
  await sleep(2 * interval * 1000 + 1000);
  const [spent, made, since] = [cpu(), done(), performance.now()];
  await sleep(seconds * 1000);
  const elapsed = (performance.now() - since) / 1000;
  const share = ((100 * (cpu() - spent)) / elapsed).toFixed(1);
  console.log(`${what}: ${share} % of a core, ${((done() - made) / elapsed).toFixed(0)} a second`);
}

async function bare(kind: "http" | "tcp", { port }: Server): Promise<void> {
  const request = Buffer.from(`GET / HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nConnection: close\r\n\r\n`);
  let done = 0;
  const timers: NodeJS.Timeout[] = [];
  const once = (): void => {
    const socket = new Socket();
    const over = (): void => {
      done++;
      socket.destroy();
    };
    socket.on("error", over);
    if (kind === "tcp") socket.on("connect", over);
    else socket.on("connect", () => socket.write(request)).on("data", over);
    socket.connect({ host: "127.0.0.1", port });
  };
  for (let i = 0; i < tasks; i++)
    timers.push(
      setTimeout(() => timers.push(setInterval(once, interval * 1000)), (i * interval * 1000) / tasks),
    );
  await measure(`${kind}, bare connections`, ownCpu, () => done);
  for (const timer of timers) clearInterval(timer);
}

async function checked(kind: "http" | "tcp", server: Server, inside: boolean): Promise<void> {
  const logger = new MemoryLogger();
  const helper = new NamespaceHelper(logger);
  const network = new Network(helper);
  let done = 0;
  let failed = 0;
  const checker = kind === "http" ? new HttpChecker(network) : new TcpChecker(network);
  const counting = {
    prepare: (...given: Parameters<HttpChecker["prepare"]>) => {
      const check = checker.prepare(...given);
      return {
        run: async (signal: AbortSignal) => {
          const outcome = await check.run(signal);
          done++;
          if (outcome?.healthy !== true) failed++;
          return outcome;
        },
      };
    },
  };
  const checks = new TaskChecks({
    checkers: new Map([[kind, counting]]),
    clock: new SystemClock(),
    random: new SeededRandom(1),
    logger,
  });
  const { port } = server;
  const running = Array.from({ length: tasks }, (_, i) => {
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
    return checks.start({ info, age: 0, told: [] }, target, {
      checked: () => undefined,
      health: () => undefined,
    });
  });
  const what = `${kind}, checks${inside ? " in another network (agent and helper)" : ""}`;
  const cpu = (): number => ownCpu() + (helper.pid === undefined ? 0 : cpuOf(helper.pid));
  await measure(what, cpu, () => done);
  for (const one of running) one?.stop();
  if (failed > 0) console.log(`${failed} of them failed`);
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
