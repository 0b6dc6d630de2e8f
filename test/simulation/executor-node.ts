import { Call, Call_Type, type Event, Event_Type } from "../../proto/gen/mesos/v1/executor/executor.js";
import {
  TaskStatus_Source as Source,
  type TaskInfo,
  TaskState,
  type TaskStatus,
} from "../../proto/gen/mesos/v1/mesos.js";
import type { SeededRandom } from "../../sdk/testing/seeded-random.js";
import type { AgentNode } from "./agent-node.js";
import type { Cluster } from "./cluster.js";
import type { RunningContainer } from "./containers.js";
import { DriverLine } from "./driver-line.js";
import { ExecutorLine } from "./executor-line.js";
import { SimulatedProcess } from "./process.js";

const { TASK_STARTING, TASK_RUNNING, TASK_KILLING, TASK_FINISHED, TASK_FAILED, TASK_KILLED } = TaskState;

/** A task from the point of view of its executor. */
interface OwnTask {
  readonly info: TaskInfo;
  /** Its process, once that has started. */
  container: RunningContainer | undefined;
  /** The agent has acknowledged an update about it. */
  confirmed: boolean;
  killed: boolean;
  over: boolean;
}

/** How long it waits for an agent before it gives up: `--recovery_timeout`. */
const RECOVERY_MS = 900_000;

/** The maximum pause between attempts to subscribe; agents wait for `--executor_reregistration_timeout`. */
const BACKOFF_MS = 2000;

/** Suffix of the names of executors that use the v0 driver. */
const DRIVEN = "-x3";

const EXIT_OK = { exit: { code: 0, signal: undefined } };
const SIGTERM_END = { exit: { code: undefined, signal: 15 } };

/**
 * What runs in the container of a custom executor: it subscribes, runs several tasks as processes, and reports on them, at once, late or
 * twice, and now and then on tasks that do not exist. It outlives the agent if its framework checkpoints.
 */
export class ExecutorNode {
  readonly process: SimulatedProcess;
  private readonly tasks = new Map<string, OwnTask>();
  /** Unacknowledged updates, by UUID. */
  private readonly unacknowledged = new Map<string, TaskStatus>();
  private readonly random: SeededRandom;
  private line: ExecutorLine | DriverLine | undefined;
  /** Undefined for an executor that uses HTTP. */
  private driver: DriverLine | undefined;
  private lostAt: number | undefined;
  private messages = 0;
  /** It exits when its tasks have ended. */
  private readonly leaves: boolean;
  private leaving = false;

  constructor(
    private readonly cluster: Cluster,
    private readonly agent: AgentNode,
    private readonly container: RunningContainer,
  ) {
    const { world } = cluster;
    const { executorId, containerId } = container.request;
    const name = `${executorId}.${containerId.value!.slice(0, 8)}`;
    this.process = new SimulatedProcess(world, agent.host, name);
    this.random = world.randomFor();
    this.leaves = world.dice.chance(0.5);
    container.watchers.add(() => this.die());
    // Some never come up.
    if (!world.dice.chance(0.03)) this.process.timer(world.dice.exponential(300), () => this.connect());
  }

  get alive(): boolean {
    return this.process.alive;
  }

  private get id(): string {
    return this.container.request.executorId;
  }

  private die(): void {
    this.process.crash();
    this.driver?.die();
    for (const connection of [...this.cluster.network.connections]) connection.abandon(this.process);
    this.agent.executors.delete(this);
  }

  private get calm(): boolean {
    return this.cluster.frameworks.every(({ calm }) => calm);
  }

  private callOf(call: object): Call {
    const { frameworkId } = this.container.request;
    return Call.fromPartial({
      ...call,
      executor_id: { value: this.id },
      framework_id: { value: frameworkId },
    } as Call);
  }

  /** What the agent may not know. */
  private get unsafe(): { tasks: TaskInfo[]; updates: TaskStatus[] } {
    const unknown = [...this.tasks.values()].filter(({ confirmed }) => !confirmed);
    return { tasks: unknown.map(({ info }) => info), updates: [...this.unacknowledged.values()] };
  }

  private connect(): void {
    if (this.cluster.size.wide && this.id.endsWith(DRIVEN)) this.drive();
    else this.subscribe();
  }

  private drive(): void {
    const { agent, process, container } = this;
    const driver: DriverLine = new DriverLine({
      messages: this.cluster.messages,
      process,
      agent,
      request: container.request,
      port: agent.nextPort++,
      unsafe: () => this.unsafe,
      event: (event) => {
        if (!this.alive) return;
        this.line = driver;
        this.receive(event);
      },
      closed: () => this.disconnected(),
    });
    this.driver = driver;
    this.line = driver;
    driver.open();
  }

  private subscribe(): void {
    const { tasks, updates } = this.unsafe;
    const line: ExecutorLine = new ExecutorLine({
      network: this.cluster.network,
      client: this.process,
      life: this.agent.life,
      subscribe: this.callOf({
        type: Call_Type.SUBSCRIBE,
        subscribe: {
          unacknowledged_tasks: tasks,
          unacknowledged_updates: updates.map((status) => ({ status })),
        },
      }),
      event: (event) => {
        if (this.line === line && this.alive) this.receive(event);
      },
      closed: () => {
        if (this.line === line) this.disconnected();
      },
    });
    this.line = line;
    line.open();
  }

  private disconnected(): void {
    const { world } = this.cluster;
    this.line = undefined;
    if (!this.alive) return;
    this.lostAt ??= world.time;
    if (!this.container.request.checkpoint) {
      this.exitSoon("has lost its agent");
    } else if (world.time > this.lostAt + RECOVERY_MS) {
      this.exitSoon("has waited long enough for its agent");
    } else if (this.driver !== undefined) {
      const since = this.lostAt;
      this.process.timer(RECOVERY_MS, () => {
        if (this.lostAt === since) this.exitSoon("has waited long enough for its agent");
      });
    } else {
      this.process.timer(world.dice.between(1, BACKOFF_MS), () => {
        if (this.line === undefined) this.connect();
      });
    }
  }

  private receive(event: Event): void {
    const { subscribed, launch, launch_group, kill, acknowledged, message } = event;
    if (subscribed !== undefined) {
      this.cluster.world.note(`${this.process.name} is subscribed`);
      this.lostAt = undefined;
      if (subscribed.container_id?.value !== this.container.request.containerId.value)
        this.violate("an executor is told who it is", `it is called ${subscribed.container_id?.value}`);
      this.sayMore();
    }
    if (launch?.task !== undefined) this.launch([launch.task]);
    if (launch_group?.task_group !== undefined) this.launch(launch_group.task_group.tasks);
    if (kill !== undefined) this.kill(kill.task_id!.value!);
    if (acknowledged !== undefined) this.acknowledged(acknowledged.task_id!.value!, acknowledged.uuid!);
    if (message !== undefined) this.hear(Buffer.from(message.data!).toString());
    if (event.type === Event_Type.SHUTDOWN) this.shutdown();
  }

  private launch(infos: readonly TaskInfo[]): void {
    const ids = infos.map(({ task_id }) => task_id!.value!);
    const { world, watch } = this.cluster;
    world.note(`${this.process.name} is given ${ids.join(" ")}`);
    watch.given(this.container.request, ids);
    for (const info of infos) {
      const task = { info, container: undefined, confirmed: false, killed: false, over: false };
      this.tasks.set(info.task_id!.value!, task);
      if (world.dice.chance(0.3)) this.report(task, TASK_STARTING);
      this.process.timer(world.dice.exponential(100), () => this.begin(task));
    }
    if (world.dice.chance(0.3)) this.sayMore();
  }

  private begin(task: OwnTask): void {
    const { dice } = this.cluster.world;
    if (task.over) return;
    if (task.killed || dice.chance(0.03)) {
      task.over = true;
      this.report(task, task.killed ? TASK_KILLED : TASK_FAILED);
      return;
    }
    const { request } = this.container;
    const container = this.agent.containers.startProcess({
      ...request,
      containerId: { value: this.random.uuid(), parent: request.containerId },
      task: task.info,
    });
    task.container = container;
    container.watchers.add(() => this.process.input(dice.exponential(5), () => this.ended(task)));
    this.report(task, TASK_RUNNING);
  }

  private ended(task: OwnTask): void {
    if (task.over) return;
    task.over = true;
    const code = task.container?.termination?.exit?.code;
    this.report(task, code === 0 ? TASK_FINISHED : task.killed ? TASK_KILLED : TASK_FAILED);
  }

  private kill(id: string): void {
    const task = this.tasks.get(id);
    const { world } = this.cluster;
    if (task === undefined || task.over) return;
    if (!task.killed && world.dice.chance(0.2)) this.report(task, TASK_KILLING);
    task.killed = true;
    // Some take their time.
    this.stop(task, world.dice.exponential(world.dice.chance(0.1) ? 30_000 : 500));
  }

  private stop({ container }: OwnTask, ms: number): void {
    if (container === undefined) return;
    this.cluster.world.schedule(ms, () => this.agent.containers.end(container, SIGTERM_END));
  }

  /** Asked to shut down: it ends its tasks, reports that, and exits; some ignore it. */
  private shutdown(): void {
    const { world } = this.cluster;
    world.note(`${this.process.name} is asked to end`);
    if (world.dice.chance(0.15)) return;
    for (const task of this.tasks.values()) {
      task.killed = true;
      this.stop(task, world.dice.exponential(100));
    }
    this.process.timer(world.dice.exponential(800), () => this.exitSoon("was asked to end"));
  }

  private exitSoon(why: string): void {
    if (this.leaving) return;
    this.leaving = true;
    const { world } = this.cluster;
    world.note(`${this.process.name} ends: it ${why}`);
    this.process.timer(world.dice.exponential(100), () => this.agent.containers.end(this.container, EXIT_OK));
  }

  private report({ info }: OwnTask, state: TaskState): void {
    this.tell({ task_id: info.task_id!, state });
  }

  /** Sends an update about a task: now, later or twice. */
  private tell(told: Pick<TaskStatus, "task_id" | "state">): void {
    const { dice } = this.cluster.world;
    const uuid = Buffer.from(this.random.uuid().replaceAll("-", ""), "hex");
    const status: TaskStatus = {
      ...told,
      source: Source.SOURCE_EXECUTOR,
      uuid,
      ...(dice.chance(0.5) && { executor_id: { value: this.id } }),
    } as TaskStatus;
    this.unacknowledged.set(uuid.toString("hex"), status);
    const send = (): void => this.line?.call(this.callOf({ type: Call_Type.UPDATE, update: { status } }));
    const how = this.calm ? "now" : dice.weighted({ now: 6, later: 1.5, twice: 1 });
    if (how === "later") this.process.timer(dice.exponential(3000), send);
    else send();
    if (how === "twice") this.process.timer(dice.exponential(1000), send);
  }

  private acknowledged(taskId: string, bytes: Uint8Array): void {
    this.unacknowledged.delete(Buffer.from(bytes).toString("hex"));
    const task = this.tasks.get(taskId);
    if (task !== undefined) task.confirmed = true;
    if (!this.leaves || !this.idle) return;
    this.process.timer(this.cluster.world.dice.exponential(2000), () => {
      if (this.idle) this.exitSoon("has nothing left to do");
    });
  }

  private get idle(): boolean {
    return this.unacknowledged.size === 0 && [...this.tasks.values()].every(({ over }) => over);
  }

  /** Sends a message to its scheduler, one in its name from somebody else, or an update about an unknown task. */
  private sayMore(): void {
    const { dice } = this.cluster.world;
    if (this.calm) return;
    const id = `${this.process.name}-${++this.messages}`;
    if (dice.chance(0.3))
      this.line?.call(this.callOf({ type: Call_Type.MESSAGE, message: { data: Buffer.from(id) } }));
    if (this.driver !== undefined && dice.chance(0.2)) {
      const task = dice.pick([...this.tasks.values()]);
      const uuid = Buffer.from(this.random.uuid().replaceAll("-", ""), "hex");
      if (task !== undefined)
        this.driver.pretend({ task_id: task.info.task_id, state: TASK_FINISHED, uuid } as TaskStatus);
    }
    if (dice.chance(0.05))
      this.tell({
        task_id: { value: `stray-${id}` },
        state: dice.pick([TASK_RUNNING, TASK_FINISHED])!,
      });
  }

  private hear(text: string): void {
    this.cluster.world.note(`${this.process.name} hears '${text}'`);
    this.cluster.watch.delivered(text);
    if (!text.startsWith(`${this.id}<`))
      this.violate("a message comes to whom it is for", `it hears '${text}'`);
  }

  private violate(invariant: string, detail: string): void {
    this.cluster.world.violate(invariant, `${this.process.name}: ${detail}`);
  }
}
