/**
 * `npm run bench -- failover [--agents=1000,10000,20000,40000] [--tasks=10] [--frameworks=5] [--each=N] [--profile=DIR] [--heap]`: a master
 * that takes over a cluster. Simulated agents in a second process register, the master is killed, and its successor has the registry and nothing
 * else; then all agents come at once, each with its tasks. A line for each number of agents: time until the last one is re-registered, the
 * master's CPU for each, its memory, and the longest stall of its event loop; `/health` is asked all the while. The time of the first
 * registration, without tasks, is for comparison.
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { getJson } from "../support/cluster.js";
import { type Daemon, startDaemon } from "../support/daemons.js";
import { eventually } from "../support/eventually.js";
import { agentsPerHost, startAgents } from "./agent-crowd.js";
import { milliseconds } from "./statistics.js";

interface Figures {
  readonly registerSeconds: number;
  readonly reregisterSeconds: number;
  readonly cpuMs: number;
  readonly memory: { now: number; peak: number };
  readonly stallMs: number;
  readonly healthMs: number;
}

/** How long after an answer `/health` is asked for again. */
const HEALTH_MS = 50;

const { values } = parseArgs({
  options: {
    agents: { type: "string", default: "1000,10000,20000,40000" },
    tasks: { type: "string", default: "10" },
    frameworks: { type: "string", default: "5" },
    each: { type: "string" },
    profile: { type: "string" },
    heap: { type: "boolean", default: false },
  },
});

/** Resolves when the master leads, and expects its agents. */
async function leading(master: Daemon, count: number): Promise<void> {
  await eventually(async () => {
    const { recovered_slaves: expected } = (await getJson(master, "/master/slaves")) as {
      recovered_slaves: unknown[];
    };
    return expected.length === count ? true : undefined;
  }, 60_000);
}

/** The longest stall since the last call. */
async function longestStall(master: Daemon, file: string): Promise<number> {
  rmSync(file, { force: true });
  master.process.kill("SIGUSR2");
  return eventually(() => Number(readFileSync(file, "utf8")), 30_000);
}

/** Asks for `/health` until it is told to stop: the longest answer. */
function watchHealth(port: number): () => Promise<number> {
  let over = false;
  const longest = (async () => {
    let most = 0;
    while (!over) {
      const began = performance.now();
      const { ok } = await fetch(`http://127.0.0.1:${port}/health`);
      if (!ok) throw new Error("the master is not healthy");
      most = Math.max(most, performance.now() - began);
      // Not more often: the answers are work, too, and counted.
      await new Promise((resolve) => setTimeout(resolve, HEALTH_MS));
    }
    return most;
  })();
  longest.catch(() => undefined);
  return () => {
    over = true;
    return longest;
  };
}

async function measure(count: number, each: number): Promise<Figures> {
  const folder = mkdtempSync(join(tmpdir(), "tepui-failover-"));
  const stallFile = join(folder, "stall");
  const probe = new URL("stall-probe.js", import.meta.url).href;
  const options = {
    profile: values.profile,
    heap: values.heap,
    environment: { STALL_FILE: stallFile, NODE_OPTIONS: `--import=${probe}` },
  };
  let master = await startDaemon("mesos-master", [`--work_dir=${join(folder, "work")}`], options);
  try {
    const agents = await startAgents({ port: master.port, count, each });
    const registerSeconds = await agents.register();
    await agents.prepare({ tasks: Number(values.tasks), frameworks: Number(values.frameworks) });
    await master.kill();
    master = await master.restart();
    await leading(master, count);
    await longestStall(master, stallFile);
    const cpu = master.cpu();
    const health = watchHealth(master.port);
    const reregisterSeconds = await agents.reregister();
    const figures = {
      registerSeconds,
      reregisterSeconds,
      cpuMs: ((master.cpu() - cpu) / count) * 1000,
      memory: master.memory(),
      stallMs: await longestStall(master, stallFile),
      healthMs: await health(),
    };
    await agents.end();
    return figures;
  } finally {
    await master.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

console.log(
  "agents | register all, idle | re-register all | master CPU each | RSS (peak) | longest stall | longest /health",
);
for (const text of values.agents.split(",")) {
  const count = Number(text);
  const each = Number(values.each ?? agentsPerHost(count));
  const f = await measure(count, each);
  console.log(
    `${text}${each === 1 ? "" : ` (${each} a host)`} | ${f.registerSeconds.toFixed(2)} s | ${f.reregisterSeconds.toFixed(2)} s | ` +
      `${f.cpuMs.toFixed(2)} ms | ${f.memory.now.toFixed(0)} (${f.memory.peak.toFixed(0)}) MB | ${milliseconds(f.stallMs)} | ${milliseconds(f.healthMs)}`,
  );
}
