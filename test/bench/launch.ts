/**
 * `npm run bench -- launch [--tasks=1000] [--in-flight=20]`: tasks of `true` through the HTTP API on one real agent.
 * Prints finished tasks a second and the time from ACCEPT to TASK_RUNNING; beside it, the same one task at a time.
 */
import { parseArgs } from "node:util";
import type { Offer } from "../../proto/gen/mesos/v1/mesos.js";
import { TaskState, Value_Type } from "../../proto/gen/mesos/v1/mesos.js";
import { Call_Type, type Event, Event_Type } from "../../proto/gen/mesos/v1/scheduler/scheduler.js";
import { startDaemon } from "../support/daemons.js";
import { BareScheduler } from "./bare-scheduler.js";
import { milliseconds, percentile } from "./statistics.js";

const CPUS = 0.01;
const MEM = 1;

interface Outcome {
  readonly perSecond: number;
  readonly running: number[];
  readonly finished: number[];
}

/** Launches `tasks` tasks, at most `inFlight` at a time, and resolves when all have finished. */
async function round(port: number, options: { tasks: number; inFlight: number }): Promise<Outcome> {
  const accepted = new Map<string, number>();
  const running: number[] = [];
  const finished: number[] = [];
  let launched = 0;
  let began = 0;
  let free: Offer | undefined;

  return new Promise((resolve, reject) => {
    const scheduler = new BareScheduler({ host: "127.0.0.1", port }, onEvent);

    function launch(): void {
      const now = launched - finished.length;
      const count = Math.min(options.inFlight - now, options.tasks - launched);
      if (free === undefined || count <= 0) return;
      const offer = free;
      free = undefined;
      if (began === 0) began = performance.now();
      const tasks = Array.from({ length: count }, () => task(offer, launched++));
      for (const each of tasks) accepted.set(each.task_id.value, performance.now());
      scheduler.call({
        type: Call_Type.ACCEPT,
        accept: {
          offer_ids: [offer.id!],
          operations: [{ type: 1, launch: { task_infos: tasks } }],
          filters: { refuse_seconds: 0 },
        },
      });
    }

    function onEvent(event: Event): void {
      if (event.type === Event_Type.OFFERS) {
        free = event.offers?.offers[0];
        launch();
      }
      if (event.type === Event_Type.ERROR) reject(new Error(event.error?.message));
      const status = event.update?.status;
      if (status === undefined) return;
      const taskId = status.task_id?.value ?? "";
      const latency = performance.now() - (accepted.get(taskId) ?? 0);
      if (status.state === TaskState.TASK_RUNNING) running.push(latency);
      if (status.uuid !== undefined) {
        scheduler.call({
          type: Call_Type.ACKNOWLEDGE,
          acknowledge: { agent_id: status.agent_id!, task_id: status.task_id!, uuid: status.uuid },
        });
      }
      if (status.state === TaskState.TASK_FINISHED) {
        finished.push(latency);
        if (finished.length === options.tasks) {
          const perSecond = options.tasks / ((performance.now() - began) / 1000);
          scheduler.call({ type: Call_Type.TEARDOWN });
          setImmediate(() => {
            scheduler.close();
            resolve({ perSecond, running, finished });
          });
        } else launch();
      } else if (status.state !== TaskState.TASK_RUNNING && status.state !== TaskState.TASK_STARTING) {
        reject(new Error(`${taskId}: ${TaskState[status.state ?? 0]} ${status.message}`));
      }
    }

    scheduler
      .subscribe({
        user: process.env.USER ?? "root",
        name: "bench",
        roles: ["*"],
        capabilities: [{ type: 6 }],
      })
      .catch(reject);
  });
}

function task(offer: Offer, index: number) {
  const allocation_info = offer.allocation_info;
  const scalar = (name: string, value: number) => ({
    name,
    type: Value_Type.SCALAR,
    scalar: { value },
    ...(allocation_info && { allocation_info }),
  });
  return {
    name: "true",
    task_id: { value: `t${index}` },
    agent_id: offer.agent_id!,
    resources: [scalar("cpus", CPUS), scalar("mem", MEM)],
    command: { value: "true" },
  };
}

const { values } = parseArgs({
  options: { tasks: { type: "string", default: "1000" }, "in-flight": { type: "string", default: "20" } },
});
const master = await startDaemon("mesos-master", ["--allocation_interval=10ms", "--registry=in_memory"]);
const agent = await startDaemon("mesos-agent", [
  `--master=127.0.0.1:${master.port}`,
  "--resources=cpus:100;mem:10000;disk:10000",
]);
try {
  const warm = await round(master.port, { tasks: 50, inFlight: 5 });
  void warm;
  const single = await round(master.port, { tasks: 100, inFlight: 1 });
  const cpuBefore = { master: master.cpu(), agent: agent.cpu() };
  const many = await round(master.port, {
    tasks: Number(values.tasks),
    inFlight: Number(values["in-flight"]),
  });
  const line = (label: string, o: Outcome) =>
    console.log(
      `${label}: ${o.perSecond.toFixed(0)} finished/s; ACCEPT to TASK_RUNNING p50 ${milliseconds(percentile(o.running, 0.5))}, ` +
        `p99 ${milliseconds(percentile(o.running, 0.99))}; to TASK_FINISHED p50 ${milliseconds(percentile(o.finished, 0.5))}`,
    );
  line("one at a time", single);
  line(`${values["in-flight"]} in flight`, many);
  for (const [name, daemon] of [["master", master] as const, ["agent", agent] as const]) {
    const cpu = (daemon.cpu() - cpuBefore[name]) / Number(values.tasks);
    console.log(
      `${name}: ${daemon.memory().now.toFixed(0)} MB (peak ${daemon.memory().peak.toFixed(0)}), CPU a task ${milliseconds(cpu * 1000)}`,
    );
  }
} finally {
  await agent.stop();
  await master.stop();
}
