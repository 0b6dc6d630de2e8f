import {
  FrameworkInfo_Capability_Type as Capability,
  type FrameworkInfo,
  type Offer,
  type Resource,
  type TaskInfo,
  TaskState,
  type TaskStatus,
  Value_Type,
} from "../../proto/gen/mesos/v1/mesos.js";
import { Call, Call_Type, type Event } from "../../proto/gen/mesos/v1/scheduler/scheduler.js";
import { isTerminal } from "../../sdk/task-states.js";
import type { Cluster } from "./cluster.js";
import { type Host, SimulatedProcess } from "./process.js";
import { SchedulerLine } from "./scheduler-line.js";

/** A task, as its framework wrote it down before it asked for it. */
export interface TaskRecord {
  readonly id: string;
  readonly agentId: string;
  state: TaskState;
  /** The end that the framework acknowledged to the agent. */
  acknowledgedEnd: TaskState | undefined;
  readonly acknowledged: Set<string>;
}

interface HeldOffer {
  readonly offer: Offer;
  readonly line: SchedulerLine;
}

const RETRY_MS = 1000;
/** Without any event for so long the stream counts as dead; heartbeats come every 15 seconds. */
const SILENCE_MS = 45_000;

/** Tasks that one framework asks for at most, so that a run ends. */
const MOST_TASKS = 40;

/**
 * A scheduler that does what schedulers do, well and badly: it launches, kills, reconciles, forgets to acknowledge for a while, acknowledges
 * twice, lets offers lie, dies and comes back. What it writes down is never lost, and written before anything is done.
 */
export class FrameworkNode {
  readonly host: Host;
  readonly tasks = new Map<string, TaskRecord>();
  id: string | undefined;
  process: SimulatedProcess | undefined;
  /** It starts nothing more, and answers everything at once. */
  calm = false;
  private line: SchedulerLine | undefined;
  private offers: HeldOffer[] = [];
  private lives = 0;
  private attempts = 0;
  private nextTask = 0;
  private silence: (() => void) | undefined;
  private readonly info: FrameworkInfo;

  constructor(
    private readonly cluster: Cluster,
    readonly name: string,
  ) {
    const { dice } = cluster.world;
    this.host = { name, clockOffset: 0 };
    const capabilities = [Capability.MULTI_ROLE];
    if (dice.chance(0.8)) capabilities.push(Capability.PARTITION_AWARE);
    if (dice.chance(0.5)) capabilities.push(Capability.TASK_KILLING_STATE);
    this.info = {
      user: "nobody",
      name,
      roles: [dice.chance(0.5) ? "*" : "work"],
      checkpoint: dice.chance(0.8),
      failover_timeout: 1e6,
      capabilities: capabilities.map((type) => ({ type })),
      offer_filters: {},
    };
  }

  get subscribed(): boolean {
    return this.line?.subscribed === true;
  }

  get checkpoints(): boolean {
    return this.info.checkpoint === true;
  }

  start(): void {
    if (this.process !== undefined) return;
    this.process = new SimulatedProcess(this.cluster.world, this.host, `${this.name}.${++this.lives}`);
    this.cluster.world.note(`${this.process.name} starts`);
    this.connect(undefined);
  }

  crash(): void {
    const { process } = this;
    if (process === undefined) return;
    this.cluster.world.note(`${process.name} dies`);
    process.crash();
    for (const connection of [...this.cluster.network.connections]) connection.abandon(process);
    this.process = undefined;
    this.line = undefined;
    this.offers = [];
  }

  /** Something that a scheduler might do now. */
  act(): void {
    const { dice } = this.cluster.world;
    if (this.process === undefined || this.process.paused || !this.subscribed) return;
    const action = dice.weighted({
      use: 6,
      decline: 1,
      kill: 2,
      reconcile: 1,
      implicit: 0.5,
      revive: 0.5,
      suppress: 0.2,
    });
    switch (action) {
      case "use":
        this.useOffer();
        break;
      case "decline": {
        const held = this.takeOffer();
        if (held !== undefined) this.decline(held);
        break;
      }
      case "kill": {
        const task = dice.pick(this.open());
        if (task !== undefined) this.kill(task);
        break;
      }
      case "reconcile":
        this.reconcile(this.open().filter(() => dice.chance(0.5)));
        break;
      case "implicit":
        this.reconcile([]);
        break;
      case "revive":
        this.call({ type: Call_Type.REVIVE });
        break;
      case "suppress":
        this.call({ type: Call_Type.SUPPRESS });
        break;
    }
  }

  /** Tasks that it does not know to be over. */
  open(): TaskRecord[] {
    return [...this.tasks.values()].filter(({ state }) => !isTerminal(state));
  }

  kill(task: TaskRecord): void {
    this.call({
      type: Call_Type.KILL,
      kill: { task_id: { value: task.id }, agent_id: { value: task.agentId } },
    });
  }

  reconcile(tasks: readonly TaskRecord[]): void {
    this.call({
      type: Call_Type.RECONCILE,
      reconcile: {
        tasks: tasks.map(({ id, agentId }) => ({ task_id: { value: id }, agent_id: { value: agentId } })),
      },
    });
  }

  /** Gives back what it holds. */
  declineAll(): void {
    for (let held = this.takeOffer(); held !== undefined; held = this.takeOffer()) this.decline(held);
  }

  private useOffer(): void {
    const { dice } = this.cluster.world;
    const held = this.takeOffer();
    if (held === undefined) return;
    const { offer } = held;
    const role = offer.allocation_info?.role ?? "*";
    const left = { cpus: amount(offer, "cpus"), mem: amount(offer, "mem") };
    const tasks: TaskInfo[] = [];
    const wanted = 1 + dice.below(3);
    while (tasks.length < wanted && this.tasks.size < MOST_TASKS) {
      const cpus = (1 + dice.below(20)) / 10;
      const mem = 32 * (1 + dice.below(16));
      if (cpus > left.cpus || mem > left.mem) break;
      left.cpus -= cpus;
      left.mem -= mem;
      const id = `${this.name}-t${++this.nextTask}`;
      this.tasks.set(id, {
        id,
        agentId: offer.agent_id!.value!,
        state: TaskState.TASK_STAGING,
        acknowledgedEnd: undefined,
        acknowledged: new Set(),
      });
      tasks.push({
        name: id,
        task_id: { value: id },
        agent_id: offer.agent_id,
        resources: [scalar("cpus", cpus, role), scalar("mem", mem, role)],
        limits: {},
        command: { value: "work", uris: [], arguments: [] },
      });
    }
    if (tasks.length === 0) {
      this.decline(held);
      return;
    }
    this.cluster.world.note(
      `${this.name} launches ${tasks.map(({ name }) => name).join(" ")} on ${offer.agent_id!.value}`,
    );
    held.line.call({
      ...this.callOf({ type: Call_Type.ACCEPT }),
      accept: {
        offer_ids: [offer.id!],
        operations: [{ type: 1, launch: { task_infos: tasks } }],
        filters: { refuse_seconds: dice.chance(0.5) ? 0 : 5 },
      },
    } as Call);
  }

  private decline({ offer, line }: HeldOffer): void {
    line.call({
      ...this.callOf({ type: Call_Type.DECLINE }),
      decline: {
        offer_ids: [offer.id!],
        filters: { refuse_seconds: this.calm ? 60 : this.cluster.world.dice.below(10) },
      },
    } as Call);
  }

  private takeOffer(): HeldOffer | undefined {
    const [held] = this.offers.splice(this.cluster.world.dice.below(this.offers.length), 1);
    return held;
  }

  private call(call: object): void {
    this.line?.call(this.callOf(call));
  }

  private callOf(call: object): Call {
    return Call.fromPartial({ ...call, framework_id: { value: this.id ?? "" } } as Call);
  }

  /** @param target the endpoint of a master that should lead */
  private connect(target: string | undefined): void {
    const { process } = this;
    if (process === undefined) return;
    const { masters } = this.cluster;
    const node =
      masters.find(({ endpoint }) => endpoint === target) ?? masters[this.attempts++ % masters.length]!;
    const info = this.id === undefined ? this.info : { ...this.info, id: { value: this.id } };
    const line = new SchedulerLine({
      network: this.cluster.network,
      client: process,
      node,
      streamId: this.cluster.world.randomFor().uuid(),
      subscribe: Call.fromPartial({
        type: Call_Type.SUBSCRIBE,
        ...(this.id !== undefined && { framework_id: { value: this.id } }),
        subscribe: { framework_info: info },
      } as Call),
      acts: (term, what) => this.cluster.watch.acts(term, what),
      event: (event) => this.receive(line, event),
      closed: (leader) => this.closed(line, leader),
    });
    this.line = line;
    line.open();
    this.awaitEvent(line);
  }

  private closed(line: SchedulerLine, leader: string | undefined): void {
    if (this.line !== line) return;
    this.line = undefined;
    this.offers = [];
    const { process } = this;
    const wait = leader === undefined ? RETRY_MS * this.cluster.world.dice.between(0.2, 2) : 10;
    process?.timer(wait, () => {
      if (this.process === process && this.line === undefined) this.connect(leader);
    });
  }

  private awaitEvent(line: SchedulerLine): void {
    this.silence?.();
    this.silence = this.process?.timer(SILENCE_MS, () => {
      if (this.line === line) line.close();
    });
  }

  private receive(line: SchedulerLine, event: Event): void {
    if (this.line !== line) return;
    const { world } = this.cluster;
    this.awaitEvent(line);
    if (event.subscribed !== undefined) {
      this.id = event.subscribed.framework_id!.value!;
      line.subscribed = true;
      this.cluster.world.note(`${this.name} is subscribed as ${this.id}`);
    }
    for (const offer of event.offers?.offers ?? []) this.offers.push({ offer, line });
    const rescinded = event.rescind?.offer_id?.value;
    if (rescinded !== undefined)
      this.offers = this.offers.filter(({ offer }) => offer.id!.value !== rescinded);
    if (event.update?.status !== undefined) this.update(event.update.status);
    if (event.error !== undefined) {
      // A subscription that was given up may arrive late, and take the place of the one that was made since.
      world.note(`${this.name} is told: ${event.error.message}`);
      if (event.error.message !== "Framework failed over") {
        world.violate("no scheduler is refused", `${this.name}: ${event.error.message}`);
      }
      line.close();
    }
    if (this.calm) this.declineAll();
  }

  private update(status: TaskStatus): void {
    const { world, watch } = this.cluster;
    const id = status.task_id!.value!;
    const state = status.state!;
    const uuid = status.uuid === undefined ? undefined : Buffer.from(status.uuid).toString("hex");
    world.note(
      `${this.name} hears ${id} ${TaskState[state]}${uuid === undefined ? "" : ` ${uuid.slice(0, 6)}`} (${status.message ?? ""})`,
    );
    const task = this.tasks.get(id);
    if (task === undefined) {
      world.violate("a status is of a task that was asked for", `${this.name} hears of ${id}`);
      return;
    }
    watch.heard(this, task, status);
    task.state = state;
    if (uuid === undefined) return;
    const how = this.calm ? "now" : world.dice.weighted({ now: 6, later: 2, never: 1, twice: 1 });
    if (how === "never") return;
    const acknowledge = (): void => this.acknowledge(task, status, uuid);
    if (how === "later") this.process?.timer(world.dice.exponential(8000), acknowledge);
    else acknowledge();
    if (how === "twice") this.process?.timer(world.dice.exponential(1000), acknowledge);
  }

  private acknowledge(task: TaskRecord, { agent_id, task_id, uuid, state }: TaskStatus, key: string): void {
    task.acknowledged.add(key);
    if (isTerminal(state)) task.acknowledgedEnd = state;
    this.call({ type: Call_Type.ACKNOWLEDGE, acknowledge: { agent_id, task_id, uuid } });
  }
}

const scalar = (name: string, value: number, role: string): Resource => ({
  name,
  type: Value_Type.SCALAR,
  scalar: { value },
  reservations: [],
  allocation_info: { role },
});

/** Of what nobody has reserved. */
const amount = (offer: Offer, name: string): number =>
  offer.resources
    .filter((resource) => resource.name === name && resource.reservations.length === 0)
    .reduce((sum, { scalar: { value } = { value: 0 } }) => sum + (value ?? 0), 0);
