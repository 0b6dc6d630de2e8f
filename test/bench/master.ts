/**
 * `npm run bench -- master [--agents=10,100,1000,5000,10000] [--tasks=40000] [--window=2000] [--each=N] [--profile=DIR]`: one real
 * master, simulated agents that speak the wire form from a second process, `each` of them a host, and a scheduler in this one. A line for
 * each number of agents: time to register all, time from SUBSCRIBED to offers of all agents, finished tasks a second, `/state` and
 * `/state-summary` latency (idle p50, worst under load), master's memory and CPU; with `profile` a CPU profile of the master.
 */
import { once } from "node:events";
import { get, type IncomingMessage } from "node:http";
import { parseArgs } from "node:util";
import type { Offer, OfferID } from "../../proto/gen/mesos/v1/mesos.js";
import { TaskState } from "../../proto/gen/mesos/v1/mesos.js";
import { Call_Type, type Event } from "../../proto/gen/mesos/v1/scheduler/scheduler.js";
import { type Daemon, startDaemon } from "../support/daemons.js";
import { agentsPerHost, startAgents } from "./agent-crowd.js";
import { BareScheduler } from "./bare-scheduler.js";
import { milliseconds, percentile } from "./statistics.js";
import { TaskShape } from "./task-shape.js";

const SHAPE = new TaskShape(0.1, 32);

interface Figures {
  readonly registerSeconds: number;
  readonly registerCpuMs: number;
  readonly offersMs: number;
  readonly perSecond: number;
  readonly cpuPerTaskMs: number;
  readonly state: Latency;
  readonly summary: Latency;
  readonly memory: { now: number; peak: number };
}

interface Latency {
  readonly idle: number;
  readonly worst: number;
  readonly bytes: number;
}

/** By a client of its own on a connection of its own, as little as there can be, so that it is the master that is measured. */
async function fetchTimed(port: number, path: string): Promise<{ ms: number; bytes: number }> {
  const began = performance.now();
  const request = get({ host: "127.0.0.1", port, path, agent: false });
  const [response] = (await once(request, "response")) as [IncomingMessage];
  let bytes = 0;
  response.on("data", (chunk: Buffer) => {
    bytes += chunk.length;
  });
  await once(response, "end");
  if (response.statusCode !== 200) throw new Error(`${path} was answered ${response.statusCode}`);
  return { ms: performance.now() - began, bytes };
}

async function idleLatency(port: number, path: string): Promise<{ p50: number; bytes: number }> {
  const samples: number[] = [];
  let bytes = 0;
  for (let i = 0; i < 9; i++) {
    const one = await fetchTimed(port, path);
    samples.push(one.ms);
    bytes = one.bytes;
  }
  return { p50: percentile(samples, 0.5), bytes };
}

/** Runs `tasks` tasks with about `window` in flight; calls `during` once work is under way. */
async function work(options: {
  master: Daemon;
  agents: number;
  tasks: number;
  window: number;
  during: () => Promise<void>;
}): Promise<{ perSecond: number; cpuPerTaskMs: number; offersMs: number }> {
  const { master, tasks, window } = options;
  let subscribed = 0;
  let offersMs = 0;
  // Nothing is launched before all are offered, or the master would be timed at both.
  const first: Offer[][] = [];
  let launched = 0;
  let ended = 0;
  let began = 0;
  let cpu = 0;
  let during: Promise<void> | undefined;
  await new Promise<void>((resolve, reject) => {
    const scheduler = new BareScheduler({ host: "127.0.0.1", port: master.port }, onEvent, reject);
    function onOffers(offers: Offer[]): void {
      if (began > 0) {
        launch(offers);
        return;
      }
      first.push(offers);
      if (first.flat().length < options.agents) return;
      began = performance.now();
      offersMs = began - subscribed;
      cpu = master.cpu();
      for (const each of first) launch(each);
    }
    function launch(offers: Offer[]): void {
      const room = Math.min(window - (launched - ended), tasks - launched);
      const each = Math.max(1, Math.ceil(room / offers.length));
      const declined: OfferID[] = [];
      for (const offer of offers) {
        const free = Math.min(each, tasks - launched, window - (launched - ended), SHAPE.capacity(offer));
        const infos = Array.from({ length: Math.max(0, free) }, () => SHAPE.task(offer, launched++));
        if (infos.length === 0) declined.push(offer.id!);
        else {
          scheduler.call({
            type: Call_Type.ACCEPT,
            accept: {
              offer_ids: [offer.id!],
              operations: [{ type: 1, launch: { task_infos: infos } }],
              filters: { refuse_seconds: 0 },
            },
          });
        }
      }
      if (declined.length > 0) scheduler.call({ type: Call_Type.DECLINE, decline: { offer_ids: declined } });
    }
    function onEvent(event: Event): void {
      if (event.subscribed !== undefined) subscribed = performance.now();
      if (event.offers !== undefined) onOffers(event.offers.offers);
      if (event.error !== undefined) reject(new Error(event.error.message));
      const status = event.update?.status;
      if (status === undefined) return;
      scheduler.call({
        type: Call_Type.ACKNOWLEDGE,
        acknowledge: { agent_id: status.agent_id!, task_id: status.task_id!, uuid: status.uuid! },
      });
      if (status.state === TaskState.TASK_RUNNING) return;
      if (status.state !== TaskState.TASK_FINISHED) {
        reject(new Error(`${status.task_id?.value}: ${TaskState[status.state ?? 0]} ${status.message}`));
        return;
      }
      ended++;
      if (ended >= tasks / 4 && during === undefined) {
        during = options.during();
        // Awaited at the end; a failure of the work itself is the one to report.
        during.catch(() => undefined);
      }
      if (ended < tasks) return;
      scheduler.call({ type: Call_Type.TEARDOWN });
      setImmediate(() => {
        scheduler.close();
        resolve();
      });
    }
    scheduler
      .subscribe({ user: "root", name: "bench", roles: ["*"], capabilities: [{ type: 6 }] })
      .catch(reject);
  });
  const seconds = (performance.now() - began) / 1000;
  const cpuPerTaskMs = ((master.cpu() - cpu) / tasks) * 1000;
  await during;
  return { perSecond: tasks / seconds, cpuPerTaskMs, offersMs };
}

async function measure(
  count: number,
  options: { tasks: number; window: number; each: number },
): Promise<Figures> {
  const master = await startDaemon("mesos-master", ["--allocation_interval=50ms", "--registry=in_memory"], {
    profile: values.profile,
  });
  try {
    const agents = await startAgents({ port: master.port, count, each: options.each });
    const cpu = master.cpu();
    const registerSeconds = await agents.register();
    const registerCpuMs = ((master.cpu() - cpu) / count) * 1000;
    const state = await idleLatency(master.port, "/state");
    const summary = await idleLatency(master.port, "/state-summary");
    const worst = { state: 0, summary: 0 };
    const done = await work({
      master,
      agents: count,
      ...options,
      during: async () => {
        for (let i = 0; i < 5; i++) {
          worst.state = Math.max(worst.state, (await fetchTimed(master.port, "/state")).ms);
          worst.summary = Math.max(worst.summary, (await fetchTimed(master.port, "/state-summary")).ms);
        }
      },
    });
    const memory = master.memory();
    await agents.end();
    return {
      registerSeconds,
      registerCpuMs,
      ...done,
      state: { idle: state.p50, worst: worst.state, bytes: state.bytes },
      summary: { idle: summary.p50, worst: worst.summary, bytes: summary.bytes },
      memory,
    };
  } finally {
    await master.stop();
  }
}

const { values } = parseArgs({
  options: {
    agents: { type: "string", default: "10,100,1000,5000,10000" },
    tasks: { type: "string", default: "40000" },
    window: { type: "string", default: "2000" },
    each: { type: "string" },
    profile: { type: "string" },
  },
});
const latency = (l: Latency) =>
  `${milliseconds(l.idle)} (worst ${milliseconds(l.worst)}, ${(l.bytes / 1e6).toFixed(2)} MB)`;
console.log(
  "agents | register all (CPU each) | first offers of all | tasks/s | master CPU a task | /state | /state-summary | RSS (peak)",
);
for (const text of values.agents.split(",")) {
  const count = Number(text);
  const each = Number(values.each ?? agentsPerHost(count));
  const f = await measure(count, { tasks: Number(values.tasks), window: Number(values.window), each });
  console.log(
    `${text}${each === 1 ? "" : ` (${each} a host)`} | ${f.registerSeconds.toFixed(2)} s (${f.registerCpuMs.toFixed(2)} ms) | ${milliseconds(f.offersMs)} | ` +
      `${f.perSecond.toFixed(0)} | ${f.cpuPerTaskMs.toFixed(2)} ms | ${latency(f.state)} | ${latency(f.summary)} | ${f.memory.now.toFixed(0)} (${f.memory.peak.toFixed(0)}) MB`,
  );
}
