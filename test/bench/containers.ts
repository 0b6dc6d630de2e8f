/**
 * `npm run bench -- containers [--live=1,100,1000] [--kinds=posix,linux,docker] [--tasks=200] [--profile=DIR]`: containers launched and destroyed on
 * one real agent while others run, with what the agent costs; and, in turns, one container against its floor: the bare system calls that it is made
 * of, for docker the same through the engine's own API. Needs root; docker needs dockerd and busybox.
 */
import { readdirSync, rmdirSync } from "node:fs";
import { parseArgs } from "node:util";
import type { TaskInfo } from "../../proto/gen/mesos/v1/mesos.js";
import { startDaemon } from "../support/daemons.js";
import { BareMaster } from "./bare-master.js";
import { type BenchDocker, startDocker } from "./docker-floor.js";
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
    profile: { type: "string" },
  },
});

const ISOLATION = {
  posix: "posix/cpu,posix/mem",
  linux: "filesystem/linux,namespaces/pid,cgroups/cpu,cgroups/mem",
};
const ROOT = `bench-${process.pid}`;
/** Fewer say little: the engine needs a tenth longer at one time than at another, and the agent is cold at first. */
const MIN_ROUNDS = 50;
const COMMAND = { uris: [], arguments: [] };
const median = (samples: readonly number[]): number => percentile(samples, 0.5);

function ratio(what: string, samples: readonly number[], floor: readonly number[]): string {
  const [ours, theirs] = [median(samples), median(floor)];
  return `${what} ${milliseconds(ours)}, ${(ours / theirs).toFixed(2)} x of ${milliseconds(theirs)}`;
}

/** Without a daemon around it. */
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
  console.log(ratio("one posix container", times.posix!, times.plain!));
  console.log(ratio("one linux container", times.linux!, times.isolated!));
}

type Kind = "posix" | "linux" | "docker";

const agentFlags = (kind: Kind, docker: BenchDocker | undefined): string[] => [
  "--resources=cpus:1000;mem:100000;disk:10000",
  ...(docker === undefined
    ? [`--launcher=${kind}`, `--isolation=${ISOLATION[kind as "posix" | "linux"]}`, `--cgroups_root=${ROOT}`]
    : ["--containerizers=docker", `--docker_socket=${docker.socket}`, "--docker_remove_delay=0secs"]),
];

/** The agent by itself: from RunTask to the last status. */
async function inAgent(kind: "posix" | "linux"): Promise<void> {
  const master = await BareMaster.start();
  const flags = [`--master=127.0.0.1:${master.port}`, ...agentFlags(kind, undefined)];
  const agent = await startDaemon("mesos-agent", flags, { profile: values.profile });
  try {
    const shape = new TaskShape(0.1, 8);
    for (let round = 0; round < 20; round++) await master.run(shape);
    const times = { ours: [] as number[], floor: [] as number[] };
    const [spawned, before] = [kind === "linux" ? isolatedSpawn : plainSpawn, agent.cpu()];
    for (let round = 0; round < Number(values.tasks); round++) {
      times.floor.push(await spawned());
      times.ours.push(await master.run(shape));
    }
    const cpu = (1000 * (agent.cpu() - before)) / Number(values.tasks);
    const text = ratio(`one ${kind} container in the agent, from RunTask on`, times.ours, times.floor);
    console.log(`${text}; CPU ${milliseconds(cpu)}`);
  } finally {
    await agent.stop();
    master.close();
  }
}

/** Of master, agent and a framework, with others alive. */
async function onAgent(kind: Kind): Promise<void> {
  const docker = kind === "docker" ? await startDocker() : undefined;
  const ends = [async () => docker?.stop()];
  try {
    const master = await startDaemon("mesos-master", ["--allocation_interval=10ms", "--registry=in_memory"]);
    ends.push(() => master.stop());
    const flags = [`--master=127.0.0.1:${master.port}`, ...agentFlags(kind, docker)];
    const agent = await startDaemon("mesos-agent", flags);
    ends.push(() => agent.stop());
    const runner = await TaskRunner.subscribe(master.port);
    const shape = (command: string, more: Partial<TaskInfo> = {}): TaskShape =>
      new TaskShape(0.1, 8, {
        command: { ...COMMAND, value: command },
        ...(docker !== undefined && { container: docker.container }),
        ...more,
      });
    // The first process of a container is not ended by a polite signal.
    const long = shape("exec sleep 100000", { kill_policy: { grace_period: { nanoseconds: 0n } } });
    const short = shape("true");
    const floor = kind === "linux" ? isolatedSpawn : plainSpawn;
    const tasks = Number(values.tasks) / (docker === undefined ? 1 : 10);
    let live = 0;
    for (const wanted of levels(kind)) {
      await runner.hold(long, { tasks: wanted - 1 - live, inFlight: 20 });
      live = wanted - 1;
      const single = async () => (await runner.finish(short, { tasks: 1, inFlight: 1 })).finished[0]!;
      const compared = await compare(Math.max(MIN_ROUNDS, Math.ceil(tasks / 2)), { single, floor, docker });
      const before = agent.cpu();
      const many = await runner.finish(short, { tasks, inFlight: 8 });
      const cpu = (1000 * (agent.cpu() - before)) / tasks;
      const idle = agent.cpu();
      await new Promise((resolve) => setTimeout(resolve, 2000));
      console.log(
        `${kind}, ${wanted} live: ${many.perSecond.toFixed(0)} containers/s, one at a time ${compared}; ` +
          `agent ${agent.memory().now.toFixed(0)} MB, CPU ${milliseconds(cpu)} a container, ${((agent.cpu() - idle) * 50).toFixed(1)} % of a core idle`,
      );
    }
    await runner.release(20);
    runner.close();
  } finally {
    for (const end of ends.reverse()) await end().catch((error: unknown) => console.error(error));
  }
}

interface Contest {
  /** Milliseconds from ACCEPT to TASK_FINISHED. */
  readonly single: () => Promise<number>;
  readonly floor: () => Promise<number>;
  readonly docker: BenchDocker | undefined;
}

/** In turns, so that what else the machine does meets both. */
async function compare(rounds: number, { single, floor, docker }: Contest): Promise<string> {
  const ours = { ended: [] as number[], removed: [] as number[] };
  const theirs = { ended: [] as number[], removed: [] as number[] };
  for (let round = 0; round < rounds; round++) {
    if (docker === undefined) {
      theirs.ended.push(await floor());
      ours.ended.push(await single());
      continue;
    }
    const { ended, removed } = await docker.floor();
    theirs.ended.push(ended);
    theirs.removed.push(removed);
    const began = performance.now();
    const gone = docker.removal();
    ours.ended.push(await single());
    ours.removed.push((await gone) - began);
  }
  const ending = ratio("", ours.ended, theirs.ended).trim();
  if (docker === undefined) return ending;
  return `${ending} of its own API, with its removal ${ratio("", ours.removed, theirs.removed).trim()}`;
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
  for (const kind of ["posix", "linux"] as const) if (kinds.includes(kind)) await inAgent(kind);
  for (const kind of ["posix", "linux", "docker"] as const) if (kinds.includes(kind)) await onAgent(kind);
} finally {
  removeGroups();
}
