/**
 * `npm run bench -- containers [--live=1,100,1000] [--kinds=posix,linux,docker] [--tasks=200]`: containers launched and destroyed on one real agent
 * while others run, with what the agent costs; and beside it, in one process and in turns, one container against the bare system calls that
 * it is made of. Needs root; docker needs dockerd and busybox.
 */
import { readdirSync, rmdirSync } from "node:fs";
import { parseArgs } from "node:util";
import { startDaemon } from "../support/daemons.js";
import { startDocker } from "./docker-floor.js";
import { isolatedSpawn, plainSpawn } from "./floors.js";
import { InProcessAgent } from "./in-process-agent.js";
import { milliseconds, percentile } from "./statistics.js";
import { TaskRunner } from "./task-runner.js";
import { TaskShape } from "./task-shape.js";

const { values } = parseArgs({
  options: {
    live: { type: "string" },
    kinds: { type: "string", default: "posix,linux,docker" },
    tasks: { type: "string", default: "200" },
  },
});

const ISOLATION = {
  posix: "posix/cpu,posix/mem",
  linux: "filesystem/linux,namespaces/pid,cgroups/cpu,cgroups/mem",
};
const ROOT = `bench-${process.pid}`;
const COMMAND = { uris: [], arguments: [] };
const median = (samples: readonly number[]): number => percentile(samples, 0.5);

async function alone(): Promise<void> {
  const posix = await InProcessAgent.start(
    ["posix-launcher", "posix-isolators", "filesystem-isolators"],
    ISOLATION.posix,
  );
  const linux = await InProcessAgent.start(
    ["linux-launcher", "filesystem-isolators", "namespace-isolators", "cgroups-isolators"],
    ISOLATION.linux,
  );
  const times: Record<string, number[]> = { plain: [], isolated: [], posix: [], linux: [] };
  for (let round = 0; round < 100; round++) {
    times.plain!.push(await plainSpawn());
    times.isolated!.push(await isolatedSpawn());
    times.posix!.push((await posix.run("true")).ended);
    times.linux!.push((await linux.run("true")).ended);
  }
  await posix.close();
  await linux.close();
  const line = (what: string, floor: string): void => {
    const [ours, theirs] = [median(times[what]!), median(times[floor]!)];
    console.log(
      `one ${what} container: ${milliseconds(ours)}, ${(ours / theirs).toFixed(2)} x of ${floor} (${milliseconds(theirs)})`,
    );
  };
  line("posix", "plain");
  line("linux", "isolated");
}

async function onAgent(kind: "posix" | "linux" | "docker"): Promise<void> {
  const docker = kind === "docker" ? await startDocker() : undefined;
  const master = await startDaemon("mesos-master", ["--allocation_interval=10ms", "--registry=in_memory"]);
  const agent = await startDaemon("mesos-agent", [
    `--master=127.0.0.1:${master.port}`,
    "--resources=cpus:1000;mem:100000;disk:10000",
    ...(docker === undefined
      ? [
          `--launcher=${kind}`,
          `--isolation=${ISOLATION[kind as "posix" | "linux"]}`,
          `--cgroups_root=${ROOT}`,
        ]
      : ["--containerizers=docker", `--docker_socket=${docker.socket}`]),
  ]);
  try {
    const runner = await TaskRunner.subscribe(master.port);
    const shape = (command: string): TaskShape =>
      new TaskShape(0.1, 8, {
        command: { ...COMMAND, value: command },
        ...(docker !== undefined && { container: docker.container }),
      });
    const [short, long] = [shape("true"), shape("exec sleep 100000")];
    const tasks = Number(values.tasks) / (docker === undefined ? 1 : 10);
    let live = 0;
    for (const wanted of levels(kind)) {
      await runner.hold(long, { tasks: wanted - 1 - live, inFlight: 20 });
      live = wanted - 1;
      const single = await runner.finish(short, { tasks: Math.ceil(tasks / 5), inFlight: 1 });
      const before = agent.cpu();
      const many = await runner.finish(short, { tasks, inFlight: 8 });
      const cpu = (1000 * (agent.cpu() - before)) / tasks;
      const idle = agent.cpu();
      await new Promise((resolve) => setTimeout(resolve, 2000));
      console.log(
        `${kind}, ${wanted} live: ${many.perSecond.toFixed(0)} containers/s, one at a time ${milliseconds(median(single.finished))}; ` +
          `agent ${agent.memory().now.toFixed(0)} MB, CPU ${milliseconds(cpu)} a container, ${((agent.cpu() - idle) * 50).toFixed(1)} % of a core idle`,
      );
    }
    if (docker !== undefined) {
      const floor = await docker.floor(Math.ceil(tasks / 5));
      console.log(`docker, its own API, one at a time: ${milliseconds(median(floor))}`);
    }
    runner.close();
  } finally {
    await agent.stop();
    await master.stop();
    await docker?.stop();
  }
}

/** A container of docker's costs the machine megabytes and a third of a second each: a thousand only when asked for. */
const levels = (kind: string): number[] =>
  (values.live ?? (kind === "docker" ? "1,100" : "1,100,1000")).split(",").map(Number);

function removeGroups(): void {
  for (const hierarchy of readdirSync("/sys/fs/cgroup")) {
    try {
      rmdirSync(`/sys/fs/cgroup/${hierarchy}/${ROOT}`);
    } catch {
      // Not in this hierarchy.
    }
  }
}

const kinds = values.kinds.split(",");
try {
  if (kinds.includes("posix") || kinds.includes("linux")) await alone();
  for (const kind of ["posix", "linux", "docker"] as const) if (kinds.includes(kind)) await onAgent(kind);
} finally {
  removeGroups();
}
