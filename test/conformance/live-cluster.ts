import { userInfo } from "node:os";
import {
  FrameworkInfo_Capability_Type as Capability,
  ExecutorInfo_Type,
  type FrameworkInfo,
  HealthCheck_Type,
  type Offer,
  type Offer_Operation,
  Offer_Operation_Type as Operation,
  type TaskInfo,
  TaskState,
  type TaskStatus,
  Value_Type,
} from "../../proto/gen/mesos/v1/mesos.js";
import { type PartialMessage, SchedulerClient } from "../../sdk/index.js";
import { getJson, until } from "../support/cluster.js";
import { type Daemon, startDaemon } from "../support/daemons.js";
import type { Ports } from "./likeness.js";

/** A real master and agent in the state that the captured ones were in. */
export interface LiveCluster {
  readonly master: Daemon;
  readonly agent: Daemon;
  stop(): Promise<void>;
}

const USER = userInfo().username;
const SLEEP = "sleep 900";
const DONE = "echo out; echo err 1>&2; exit 0";

/** Tasks of the captured framework that a command runs. */
const COMMANDS: Readonly<Record<string, string>> = {
  "run-1": SLEEP,
  "health-1": SLEEP,
  "killed-1": SLEEP,
  "done-1": DONE,
  "fail-1": "exit 3",
};
const HEALTH_CHECK: PartialMessage<TaskInfo["health_check"]> = {
  type: HealthCheck_Type.COMMAND,
  command: { value: "true" },
  delay_seconds: 0,
  interval_seconds: 1,
  grace_period_seconds: 1,
};
const GROUP = ["group-a", "group-b"];

/** A master and an agent with the captured one's resources, on which nothing ran yet. */
export interface EmptyCluster extends LiveCluster {
  readonly ports: Ports;
}

export async function startEmptyCluster(): Promise<EmptyCluster> {
  const master = await startDaemon("mesos-master", ["--hostname=127.0.0.1"]);
  try {
    const agent = await startDaemon("mesos-agent", [
      `--master=127.0.0.1:${master.port}`,
      "--hostname=127.0.0.1",
      "--resources=cpus:2;mem:23081;disk:252899",
      "--launcher=posix",
    ]);
    const stop = async () => {
      await agent.stop();
      await master.stop();
    };
    return { master, agent, ports: { master: master.port, agent: agent.port }, stop };
  } catch (error) {
    await master.stop();
    throw error;
  }
}

export async function startLiveCluster(): Promise<LiveCluster> {
  const { master, agent, ...cluster } = await startEmptyCluster();
  let fixture: SchedulerClient | undefined;
  const stop = async () => {
    try {
      await fixture?.teardown();
    } finally {
      await cluster.stop();
    }
  };
  try {
    fixture = await runFixture(master);
    await runAndLeave(master);
    await until(() => settled(master, agent));
    return { master, agent, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

interface Run {
  readonly client: SchedulerClient;
  readonly ended: (taskId: string, state: TaskState) => Promise<void>;
  readonly healthy: (taskId: string) => Promise<void>;
}

/** Subscribes, launches on the first offer that comes for the first role, and turns all other offers down for good. */
async function run(
  master: Daemon,
  framework: PartialMessage<FrameworkInfo> & { readonly name: string },
  operations: (offer: Offer) => PartialMessage<Offer_Operation>[],
): Promise<Run> {
  const updates: TaskStatus[] = [];
  const client = new SchedulerClient({
    master: `127.0.0.1:${master.port}`,
    framework: { user: USER, ...framework },
    acknowledgements: "manual",
  });
  client.on("update", async ({ status }) => {
    // As the captured framework that left did: without having acknowledged the end.
    if (status.task_id?.value !== "hi" || status.state !== TaskState.TASK_FINISHED)
      await client.acknowledge(status);
    updates.push(status);
  });
  let launched = false;
  client.on("offers", async ({ offers }) => {
    for (const offer of offers) {
      const role = offer.allocation_info?.role;
      if (launched || (role !== undefined && role !== "dev"))
        await client.decline(offer, { refuse_seconds: 3600 });
      else {
        launched = true;
        await client.accept(offer, operations(offer), { refuse_seconds: 3600 });
      }
    }
  });
  await client.start();
  const ended = (taskId: string, state: TaskState) =>
    until(() => updates.some((status) => status.task_id?.value === taskId && status.state === state));
  const healthy = (taskId: string) =>
    until(() => updates.some((status) => status.task_id?.value === taskId && status.healthy === true));
  return { client, ended, healthy };
}

async function runFixture(master: Daemon): Promise<SchedulerClient> {
  const framework = {
    name: "fixture",
    roles: ["dev", "prod/web"],
    principal: "fix",
    checkpoint: true,
    failover_timeout: 60,
    webui_url: "http://127.0.0.1:1/",
    labels: { labels: [{ key: "team", value: "x" }] },
    capabilities: [Capability.MULTI_ROLE, Capability.PARTITION_AWARE, Capability.RESERVATION_REFINEMENT].map(
      (type) => ({ type }),
    ),
  };
  const { client, healthy, ended } = await run(master, framework, (offer) => [
    launch(
      Object.entries(COMMANDS).map(([id, value]) =>
        task(offer, id, {
          command: { value },
          ...(id === "health-1" && { health_check: HEALTH_CHECK }),
        }),
      ),
    ),
    {
      type: Operation.LAUNCH_GROUP,
      launch_group: {
        executor: executor(offer),
        task_group: { tasks: GROUP.map((id) => task(offer, id, { command: { value: SLEEP } })) },
      },
    },
  ]);
  for (const id of ["run-1", "health-1", "killed-1", ...GROUP]) await ended(id, TaskState.TASK_RUNNING);
  await healthy("health-1");
  await client.kill("killed-1");
  await ended("killed-1", TaskState.TASK_KILLED);
  await ended("fail-1", TaskState.TASK_FAILED);
  await ended("done-1", TaskState.TASK_FINISHED);
  return client;
}

/** What `mesos-execute` leaves behind: a completed framework of one role, whose last update nobody acknowledged. */
async function runAndLeave(master: Daemon): Promise<void> {
  const types = [
    Capability.RESERVATION_REFINEMENT,
    Capability.TASK_KILLING_STATE,
    Capability.REVOCABLE_RESOURCES,
    Capability.PARTITION_AWARE,
  ];
  const framework = { name: "mesos-execute instance", capabilities: types.map((type) => ({ type })) };
  const { client, ended } = await run(master, framework, (offer) => [
    launch([{ ...task(offer, "hi", { command: { value: "echo hi" } }), labels: undefined }]),
  ]);
  await ended("hi", TaskState.TASK_FINISHED);
  await client.teardown();
}

function task(offer: Offer, id: string, what: PartialMessage<TaskInfo>): PartialMessage<TaskInfo> {
  return {
    name: id,
    task_id: { value: id },
    agent_id: offer.agent_id!,
    resources: resources(offer, { cpus: 0.1, mem: 32 }),
    labels: { labels: [{ key: "k", value: id }] },
    ...what,
  };
}

const launch = (task_infos: PartialMessage<TaskInfo>[]): PartialMessage<Offer_Operation> => ({
  type: Operation.LAUNCH,
  launch: { task_infos },
});

const executor = (offer: Offer): PartialMessage<TaskInfo["executor"]> => ({
  type: ExecutorInfo_Type.DEFAULT,
  framework_id: offer.framework_id!,
  executor_id: { value: "grp-exec" },
  resources: resources(offer, { cpus: 0.1, mem: 32, disk: 10 }),
});

function resources({ allocation_info }: Offer, amounts: Readonly<Record<string, number>>) {
  return Object.entries(amounts).map(([name, value]) => ({
    name,
    type: Value_Type.SCALAR,
    scalar: { value },
    ...(allocation_info && { allocation_info }),
  }));
}

/** Nothing is offered, and the agent has let go of what ended. */
async function settled(master: Daemon, agent: Daemon): Promise<boolean> {
  const { slaves } = (await getJson(master, "/slaves")) as {
    slaves: { offered_resources_full: unknown[] }[];
  };
  const state = (await getJson(agent, "/state")) as {
    frameworks: { completed_executors: unknown[] }[];
    completed_frameworks: { completed_executors: unknown[] }[];
  };
  const completed = [...state.frameworks, ...state.completed_frameworks].map(
    (each) => each.completed_executors.length,
  );
  return slaves[0]?.offered_resources_full.length === 0 && completed.join() === "3,1";
}
