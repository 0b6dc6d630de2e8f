/**
 * `npm run bench -- executors [--pods=200] [--live=1,100,500] [--idle=50] [--kinds=posix,linux] [--profile=FOLDER]`: pods of one task launched and ended on one real agent, one
 * at a time and eight at a time, the latter also while so many others live, and what an idle pod costs: the memory of its processes (proportional and resident) and the agent's own.
 * A stock default executor has about 30 MB resident, for each pod.
 */
import { readdirSync, readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { startDaemon } from "../support/daemons.js";
import { endCgroups } from "../support/end-cgroups.js";
import { PodShape } from "./pod-shape.js";
import { milliseconds, percentile } from "./statistics.js";
import { TaskRunner } from "./task-runner.js";

const { values } = parseArgs({
  options: {
    pods: { type: "string", default: "200" },
    live: { type: "string", default: "1,100,500" },
    idle: { type: "string", default: "50" },
    kinds: { type: "string", default: "posix,linux" },
    profile: { type: "string" },
  },
});

const ISOLATION: Readonly<Record<string, string>> = {
  posix: "posix/cpu,posix/mem",
  linux: "filesystem/linux,namespaces/pid,cgroups/cpu,cgroups/mem",
};

const CGROUPS = `bench-${process.pid}`;

interface Memory {
  readonly processes: number;
  /** Megabytes; shared pages count in part. */
  readonly proportional: number;
  readonly resident: number;
}

const processIds = (): Set<string> => new Set(readdirSync("/proc").filter((name) => /^\d+$/.test(name)));

/** Of the processes that were not there before. */
function memorySince(before: ReadonlySet<string>): Memory {
  let [processes, proportional, resident] = [0, 0, 0];
  for (const id of processIds()) {
    if (before.has(id)) continue;
    try {
      const rollup = readFileSync(`/proc/${id}/smaps_rollup`, "utf8");
      const field = (name: string): number =>
        Number(new RegExp(`^${name}:\\s+(\\d+)`, "m").exec(rollup)?.[1]);
      proportional += field("Pss") / 1024;
      resident += field("Rss") / 1024;
      processes++;
    } catch (error) {
      // It ended, or is a thread of the kernel.
      if (!["ENOENT", "ESRCH", "EACCES"].includes((error as NodeJS.ErrnoException).code ?? "")) throw error;
    }
  }
  return { processes, proportional, resident };
}

async function measure(kind: string): Promise<void> {
  const master = await startDaemon("mesos-master", ["--allocation_interval=10ms", "--registry=in_memory"]);
  const flags = [
    `--master=127.0.0.1:${master.port}`,
    "--resources=cpus:1000;mem:100000;disk:10000",
    `--launcher=${kind}`,
    `--isolation=${ISOLATION[kind]}`,
    `--cgroups_root=${CGROUPS}`,
  ];
  const agent = await startDaemon("mesos-agent", flags, { profile: values.profile });
  try {
    const runner = await TaskRunner.subscribe(master.port);
    const pods = Number(values.pods);
    const short = new PodShape(0.1, 32);
    await runner.finish(short, { tasks: 10, inFlight: 1 });
    const single = await runner.finish(short, { tasks: Math.ceil(pods / 2), inFlight: 1 });
    const measured = async (): Promise<string> => {
      const cpu = agent.cpu();
      const { perSecond } = await runner.finish(short, { tasks: pods, inFlight: 8 });
      const cpuEach = (1000 * (agent.cpu() - cpu)) / pods;
      return `${perSecond.toFixed(0)} pods/s, agent's CPU ${milliseconds(cpuEach)} a pod`;
    };
    const alone = await measured();
    console.log(`${kind}: ${alone}; one at a time ${milliseconds(percentile(single.finished, 0.5))}`);
    const idle = Number(values.idle);
    const command = { value: "exec sleep 100000", uris: [], arguments: [] };
    const stays = new PodShape(0.1, 32, { command, kill_policy: { grace_period: { nanoseconds: 0n } } });
    const [before, agentBefore] = [processIds(), agent.memory().now];
    await runner.hold(stays, { tasks: idle, inFlight: 8 });
    const memory = memorySince(before);
    const each = (total: number): string => (total / idle).toFixed(1);
    console.log(
      `${kind}: an idle pod of one task is ${each(memory.processes)} processes with ${each(memory.proportional)} MB (resident ${each(memory.resident)} MB), ` +
        `and ${each(agent.memory().now - agentBefore)} MB in the agent`,
    );
    await runner.release(20);
    let held = 0;
    for (const live of values.live
      .split(",")
      .map(Number)
      .sort((one, other) => one - other)) {
      await runner.hold(stays, { tasks: live - held, inFlight: 8 });
      held = live;
      console.log(`${kind}: ${await measured()} while ${live} others live`);
    }
    await runner.release(20);
    runner.close();
  } finally {
    await agent.stop();
    await endCgroups(CGROUPS);
    await master.stop();
  }
}

for (const kind of values.kinds.split(",")) await measure(kind);
