import type { FrameworkInfo, Offer, TaskInfo, TaskStatus } from "../../proto/gen/mesos/v1/mesos.js";
import { TaskState } from "../../proto/gen/mesos/v1/mesos.js";
import {
  ForbiddenError,
  isTerminal,
  NotLeaderError,
  NotSubscribedError,
  resourceList,
  SchedulerClient,
  UnavailableError,
  UnreachableError,
} from "../../sdk/index.js";
import { type Cluster, getJson } from "./cluster.js";
import type { Daemon } from "./daemons.js";
import { OfferRoom } from "./offer-room.js";
import { historyOf } from "./status-text.js";
import { until } from "./until.js";

type Command = NonNullable<TaskInfo["command"]>;

/** What a call may be answered while one master goes and the next one comes. Thrown by a handler, it would end the client. */
const BETWEEN_MASTERS = [
  UnreachableError,
  UnavailableError,
  NotLeaderError,
  ForbiddenError,
  NotSubscribedError,
] as const;

interface Wanted {
  readonly name: string;
  readonly command: Partial<Command>;
  readonly more: Partial<TaskInfo>;
}

/** A framework that checkpoints and runs what it is told to, on one agent. */
export class Runner {
  readonly updates: TaskStatus[] = [];
  private readonly waiting: Wanted[] = [];
  readonly client: SchedulerClient;

  constructor(
    private readonly cluster: Cluster,
    framework: Pick<FrameworkInfo, "capabilities"> = { capabilities: [] },
  ) {
    this.client = new SchedulerClient({
      master: `127.0.0.1:${cluster.master.port}`,
      framework: { name: "sandboxes", checkpoint: true, failover_timeout: 60, ...framework },
    });
    this.client.on("update", ({ status }) => void this.updates.push(status));
    this.client.on("offers", async ({ offers }) => {
      for (const offer of offers) await this.answer(offer);
    });
  }

  /** A master that is ended meanwhile takes its offers with it: the client goes on to the next one. */
  private async answer(offer: Offer): Promise<void> {
    const room = new OfferRoom(offer);
    const tasks: TaskInfo[] = [];
    for (const one of this.waiting.splice(0)) {
      const task = this.task(offer, one);
      if (room.take([...task.resources, ...(task.executor?.resources ?? [])])) tasks.push(task);
      else this.waiting.push(one);
    }
    try {
      if (tasks.length > 0) await this.client.launch(offer, tasks, { refuse_seconds: 0.05 });
      else await this.client.decline(offer, { refuse_seconds: 0.05 });
    } catch (error) {
      if (!BETWEEN_MASTERS.some((kind) => error instanceof kind)) throw error;
    }
  }

  start(): Promise<void> {
    return this.client.start();
  }

  /** Also while a master is coming back: the client subscribes again by itself. */
  async stop(): Promise<void> {
    await until(
      () =>
        this.client.teardown().then(
          () => true,
          (error: unknown) => {
            if (error instanceof NotSubscribedError) return false;
            throw error;
          },
        ),
      { what: "the framework to be subscribed, so that it can be ended" },
    );
  }

  /** At the next offer with room for it. */
  run(name: string, command: Partial<Command>, more: Partial<TaskInfo> = {}): void {
    this.waiting.push({ name, command, more });
  }

  /** Resolves when the task was killed. An agent that comes back is waited for: before, it would not hear of it. */
  async kill(name: string): Promise<void> {
    await agentsBack(this.cluster.master);
    await this.client.kill(name);
    await this.reaches(name, TaskState.TASK_KILLED);
  }

  last(name: string): TaskStatus | undefined {
    return this.updates.findLast(({ task_id }) => task_id?.value === name);
  }

  /** Resolves when the task is, or was since this was asked, in the state. Rejects where it ends otherwise. */
  async reaches(name: string, state: TaskState): Promise<void> {
    const from = this.updates.length;
    const history = () => historyOf(this.updates, name).join(", ");
    await until(
      () => {
        const last = this.last(name);
        const now = this.updates.slice(from).filter(({ task_id }) => task_id?.value === name);
        if (last?.state === state || now.some((status) => status.state === state)) return true;
        if (isTerminal(last?.state))
          throw new Error(`'${name}' did not become ${TaskState[state]}: ${history()}`);
        return false;
      },
      { what: `'${name}' to become ${TaskState[state]}`, seen: () => history() || "no status" },
    );
  }

  private task(offer: Offer, { name, command, more }: Wanted): TaskInfo {
    return {
      name,
      task_id: { value: name },
      agent_id: offer.agent_id,
      resources: resourceList("cpus:0.1;mem:32"),
      limits: {},
      ...(more.executor === undefined && { command: { uris: [], arguments: [], ...command } }),
      ...more,
      ...(more.executor && { executor: { ...more.executor, framework_id: offer.framework_id } }),
    };
  }
}

/** Resolves when the master has a link to every agent that it knows. */
export async function agentsBack(master: Daemon): Promise<void> {
  let slaves: { id: string; active: boolean }[] = [];
  await until(
    async () => {
      ({ slaves } = (await getJson(master, "/slaves")) as { slaves: typeof slaves });
      return slaves.every(({ active }) => active);
    },
    {
      what: "all agents to be active",
      seen: () => JSON.stringify(slaves.map(({ id, active }) => ({ id, active }))),
    },
  );
}

/** Where the executor of this id works, or worked. */
export async function sandboxOf(agent: Daemon, name: string): Promise<string> {
  const { frameworks, completed_frameworks } = (await getJson(agent, "/state")) as Record<
    "frameworks" | "completed_frameworks",
    {
      executors: { id: string; directory: string }[];
      completed_executors: { id: string; directory: string }[];
    }[]
  >;
  const all = [...frameworks, ...completed_frameworks].flatMap(({ executors, completed_executors }) => [
    ...executors,
    ...completed_executors,
  ]);
  const found = all.find(({ id }) => id === name);
  if (found === undefined) throw new Error(`no executor '${name}'`);
  return found.directory;
}
