/**
 * `npm run bench -- launch [--tasks=1000] [--in-flight=20] [--profile=DIR]`: tasks of `true` through the HTTP API on one real agent.
 * Prints finished tasks a second and the time from ACCEPT to TASK_RUNNING; beside it, the same one task at a time.
 */
import { parseArgs } from "node:util";
import { startDaemon } from "../support/daemons.js";
import { milliseconds, percentile } from "./statistics.js";
import { type Outcome, TaskRunner } from "./task-runner.js";
import { TaskShape } from "./task-shape.js";

const SHAPE = new TaskShape(0.01, 1);

const { values } = parseArgs({
  options: {
    tasks: { type: "string", default: "1000" },
    "in-flight": { type: "string", default: "20" },
    profile: { type: "string" },
  },
});
const master = await startDaemon("mesos-master", ["--allocation_interval=10ms", "--registry=in_memory"], {
  profile: values.profile,
});
const agent = await startDaemon(
  "mesos-agent",
  [`--master=127.0.0.1:${master.port}`, "--resources=cpus:100;mem:10000;disk:10000"],
  { profile: values.profile },
);
try {
  const runner = await TaskRunner.subscribe(master.port);
  await runner.finish(SHAPE, { tasks: 50, inFlight: 5 });
  const single = await runner.finish(SHAPE, { tasks: 100, inFlight: 1 });
  const cpuBefore = { master: master.cpu(), agent: agent.cpu() };
  const many = await runner.finish(SHAPE, {
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
  runner.close();
} finally {
  await agent.stop();
  await master.stop();
}
