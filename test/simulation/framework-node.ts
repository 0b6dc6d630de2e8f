import {
  type AgentID,
  FrameworkInfo_Capability_Type as Capability,
  type ExecutorInfo,
  ExecutorInfo_Type,
  type FrameworkInfo,
  type Offer,
  type Offer_Operation,
  type OfferID,
  type OperationStatus,
  Offer_Operation_Type as OperationType,
  type Resource,
  type TaskInfo,
  TaskState,
  type TaskStatus,
} from "../../proto/gen/mesos/v1/mesos.js";
import { Call, Call_Type, type Event } from "../../proto/gen/mesos/v1/scheduler/scheduler.js";
import { operationResources, Resources } from "../../sdk/resources/index.js";
import { isTerminal } from "../../sdk/task-states.js";
import { amountOf } from "./amounts.js";
import type { Cluster } from "./cluster.js";
import { FrameworkExecutors } from "./framework-executors.js";
import { FrameworkOperations, type OperationRecord } from "./framework-operations.js";
import { type Host, newHost, SimulatedProcess } from "./process.js";
import { SchedulerLine } from "./scheduler-line.js";

/** A task, as its framework recorded it before launching it. */
export interface TaskRecord {
  readonly id: string;
  readonly agentId: string;
  state: TaskState;
  /** The terminal state that the framework acknowledged to the agent. */
  acknowledgedEnd: TaskState | undefined;
  readonly acknowledged: Set<string>;
  /** Time of its last acknowledgement for the task, in the world's time. */
  acknowledgedAt: number | undefined;
  /** Its agent may have forgotten acknowledgements: the machine lost power, or the disk failed. */
  forgotten: boolean;
  /** All tasks that were launched with it as a pod. */
  readonly group: readonly string[];
  /** If it runs in a custom executor: which one, and all tasks to be delivered together. */
  readonly custom: { readonly executorId: string; readonly together: readonly string[] } | undefined;
}

interface HeldOffer {
  readonly offer: Offer;
  readonly line: SchedulerLine;
}

const RETRY_MS = 1000;
/** After this long without an event the stream counts as dead; heartbeats arrive every 15 seconds. */
const SILENCE_MS = 45_000;

/** The maximum number of tasks of a framework, so that a run ends. */
const MOST_TASKS = 40;

/** `failover_timeout` of a framework that is not given up during a run. */
const PATIENT_SECONDS = 1e6;

/**
 * A scheduler that does what schedulers do, well and badly: it launches, kills, reconciles, delays acknowledgements or repeats them,
 * ignores offers, crashes and comes back. What it records is never lost, and is recorded before anything is done.
 */
export class FrameworkNode {
  readonly host: Host;
  tasks = new Map<string, TaskRecord>();
  readonly operations: FrameworkOperations;
  readonly executors: FrameworkExecutors;
  id: string | undefined;
  /** Tasks of its earlier frameworks, which ended or were given up; by framework id. */
  readonly past = new Map<string, ReadonlyMap<string, TaskRecord>>();
  process: SimulatedProcess | undefined;
  /** From now on it launches nothing more, and answers everything at once. */
  calm = false;
  private line: SchedulerLine | undefined;
  private offers: HeldOffer[] = [];
  private lives = 0;
  private attempts = 0;
  private nextTask = 0;
  private nextPod = 0;
  private silence: (() => void) | undefined;
  private readonly info: FrameworkInfo;

  constructor(
    private readonly cluster: Cluster,
    readonly name: string,
  ) {
    const { dice } = cluster.world;
    this.host = newHost(name, dice);
    this.operations = new FrameworkOperations(cluster, name);
    this.executors = new FrameworkExecutors(cluster, name, (call) => this.call(call));
    const capabilities = [Capability.MULTI_ROLE, Capability.RESERVATION_REFINEMENT];
    if (dice.chance(0.8)) capabilities.push(Capability.PARTITION_AWARE);
    if (dice.chance(0.5)) capabilities.push(Capability.TASK_KILLING_STATE);
    this.info = {
      user: "nobody",
      name,
      roles: [dice.chance(0.25) ? "*" : "work"],
      checkpoint: dice.chance(0.8),
      // Some are given up while they are away.
      failover_timeout: cluster.size.wide && dice.chance(0.2) ? dice.between(5, 30) : PATIENT_SECONDS,
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

  /** Nobody waits for it forever: it may be ended while it is away. */
  get mayBeGivenUp(): boolean {
    return this.info.failover_timeout !== PATIENT_SECONDS;
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

  /** Does something that a scheduler might do now. */
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
      say: 0.5,
      end: 0.3,
      teardown: this.cluster.size.wide ? 0.1 : 0,
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
        this.reconcileOperations(this.operations.open().filter(() => dice.chance(0.5)));
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
      case "say":
        this.executors.say();
        break;
      case "end":
        this.executors.endOne();
        break;
      case "teardown":
        this.tearDown();
        break;
    }
  }

  /** Tasks whose end it does not know. */
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

  reconcileOperations(operations: readonly OperationRecord[]): void {
    this.call({
      type: Call_Type.RECONCILE_OPERATIONS,
      reconcile_operations: {
        operations: operations.map(({ id, agentId }) => ({
          operation_id: { value: id },
          agent_id: { value: agentId },
        })),
      },
    });
  }

  /** Ends the framework with everything that it runs, and starts over as another one, whether or not anybody has heard of the end. */
  private tearDown(): void {
    this.call({ type: Call_Type.TEARDOWN });
    this.beAnother();
    this.line?.close();
  }

  private beAnother(): void {
    if (this.id === undefined) return;
    this.cluster.world.note(`${this.name} is ${this.id} no longer`);
    this.past.set(this.id, this.tasks);
    this.id = undefined;
    this.tasks = new Map();
    this.operations.forget();
    this.executors.forget();
  }

  /** Declines all the offers that it holds. */
  declineAll(): void {
    for (let held = this.takeOffer(); held !== undefined; held = this.takeOffer()) this.decline(held);
  }

  private useOffer(): void {
    const { dice } = this.cluster.world;
    const held = this.takeOffer();
    if (held === undefined) return;
    const { offer } = held;
    const role = offer.allocation_info?.role ?? "*";
    const { operations, available } = this.operations.plan(offer, role);
    const launch = this.launch(offer.agent_id!, { available, wanted: 1 + dice.below(3) });
    if (launch !== undefined) operations.push(launch);
    if (operations.length === 0) {
      this.decline(held);
      return;
    }
    const what = operations.map(operationText).join(", ");
    this.cluster.world.note(`${this.name} asks ${offer.agent_id!.value} for: ${what}`);
    held.line.call({
      ...this.callOf({ type: Call_Type.ACCEPT }),
      accept: {
        offer_ids: [offer.id!],
        operations,
        filters: { refuse_seconds: dice.chance(0.5) ? 0 : 5 },
      },
    } as Call);
  }

  /** Records tasks that are to be launched: individually, as a group, or in a custom executor. */
  private launch(
    agentId: AgentID,
    { available, wanted }: { available: Resources; wanted: number },
  ): Offer_Operation | undefined {
    const { dice } = this.cluster.world;
    const how = dice.weighted({ plain: 4, pod: 3, custom: 3, customGroup: 1 });
    const isCustom = how === "custom" || how === "customGroup";
    const chosen = isCustom
      ? this.executors.choose(agentId.value!, {
          frameworkId: this.id!,
          available,
          together: how === "customGroup",
        })
      : undefined;
    const executor = how === "pod" ? this.pod(available) : chosen?.info;
    const taken = executor === undefined || chosen?.isNew === false ? [] : executor.resources;
    let left = available.subtract(Resources.of(taken));
    const tasks: TaskInfo[] = [];
    while (tasks.length < wanted && this.nextTask < MOST_TASKS) {
      const resources = this.resourcesFor(left);
      if (resources === undefined) break;
      left = left.subtract(Resources.of(resources));
      const id = `${this.name}-t${++this.nextTask}`;
      tasks.push({
        name: id,
        task_id: { value: id },
        agent_id: agentId,
        resources,
        limits: {},
        ...(chosen === undefined ? { command: { value: id, uris: [], arguments: [] } } : {}),
        ...(how === "custom" && chosen !== undefined && { executor: chosen.info }),
      });
    }
    if (tasks.length === 0) return undefined;
    if (chosen !== undefined) this.executors.write(agentId.value!, chosen.info);
    const ids = tasks.map(({ task_id }) => task_id!.value!);
    for (const id of ids) {
      this.tasks.set(id, {
        id,
        agentId: agentId.value!,
        state: TaskState.TASK_STAGING,
        acknowledgedEnd: undefined,
        acknowledged: new Set(),
        acknowledgedAt: undefined,
        forgotten: false,
        group: how === "pod" && executor !== undefined ? ids : [],
        custom: chosen && {
          executorId: chosen.info.executor_id!.value!,
          together: how === "customGroup" ? ids : [id],
        },
      });
    }
    if (executor === undefined || how === "custom")
      return { type: OperationType.LAUNCH, launch: { task_infos: tasks } };
    return { type: OperationType.LAUNCH_GROUP, launch_group: { executor, task_group: { tasks } } };
  }

  /** An executor for a group; undefined: there are not enough resources. */
  private pod(available: Resources): ExecutorInfo | undefined {
    const { dice } = this.cluster.world;
    const resources = (["cpus", "mem", "disk"] as const).map((name) =>
      amountOf(available, name, name === "cpus" ? 0.1 : 32, dice),
    );
    if (!resources.every((one) => one !== undefined)) return undefined;
    return {
      type: ExecutorInfo_Type.DEFAULT,
      executor_id: { value: `${this.name}-e${++this.nextPod}` },
      framework_id: { value: this.id! },
      resources,
    };
  }

  /** Resources for a task from what is available; undefined: not enough. */
  private resourcesFor(available: Resources): Resource[] | undefined {
    const { dice } = this.cluster.world;
    const cpus = amountOf(available, "cpus", (1 + dice.below(20)) / 10, dice);
    const mem = amountOf(available, "mem", 32 * (1 + dice.below(16)), dice);
    if (cpus === undefined || mem === undefined) return undefined;
    const volume = dice.chance(0.5) ? dice.pick(available.persistentVolumes().toMessages()) : undefined;
    return volume === undefined ? [cpus, mem] : [cpus, mem, volume];
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
    for (const { id } of event.inverse_offers?.inverse_offers ?? []) this.answerInverse(id!);
    const rescinded = event.rescind?.offer_id?.value;
    if (rescinded !== undefined)
      this.offers = this.offers.filter(({ offer }) => offer.id!.value !== rescinded);
    if (event.update?.status !== undefined) this.update(event.update.status);
    if (event.failure !== undefined) this.executors.failed(event.failure);
    if (event.message !== undefined) this.executors.hear(event.message);
    const operation = event.update_operation_status?.status;
    if (operation !== undefined) this.updateOperation(operation);
    if (event.error !== undefined) {
      // A subscription that was given up may arrive late, and replace the one made since.
      const { message } = event.error;
      world.note(`${this.name} is told: ${message}`);
      if (message === "Framework has been removed" && this.mayBeGivenUp) this.beAnother();
      else if (message !== "Framework failed over")
        world.violate("no scheduler is refused", `${this.name}: ${message}`);
      line.close();
    }
    if (this.calm) this.declineAll();
  }

  /** Answers, now or later, whether it can do without the resources, or does not answer. The answer has no other effect. */
  private answerInverse(id: OfferID): void {
    const { dice } = this.cluster.world;
    if (dice.chance(0.3)) return;
    const answer = { inverse_offer_ids: [id], filters: { refuse_seconds: dice.below(10) } };
    const call = dice.chance(0.5)
      ? { type: Call_Type.ACCEPT_INVERSE_OFFERS, accept_inverse_offers: answer }
      : { type: Call_Type.DECLINE_INVERSE_OFFERS, decline_inverse_offers: answer };
    this.process?.timer(dice.exponential(2000), () => this.call(call));
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
    if (task === undefined && id.startsWith("stray-")) {
      this.acknowledge(undefined, status, "");
      return;
    }
    if (task === undefined) {
      world.violate("a status is of a task that was asked for", `${this.name} hears of ${id}`);
      return;
    }
    watch.heard(task, status);
    task.state = state;
    if (uuid !== undefined) this.answer(() => this.acknowledge(task, status, uuid));
  }

  private updateOperation(status: OperationStatus): void {
    const record = this.operations.hear(status);
    const { uuid, agent_id, operation_id } = status;
    if (record === undefined || uuid?.value === undefined) return;
    this.answer(() => {
      record.acknowledged = true;
      this.call({
        type: Call_Type.ACKNOWLEDGE_OPERATION_STATUS,
        acknowledge_operation_status: { agent_id, operation_id, uuid: uuid.value },
      });
    });
  }

  /** Acknowledges at once, later, twice, or never. */
  private answer(acknowledge: () => void): void {
    const { dice } = this.cluster.world;
    const how = this.calm ? "now" : dice.weighted({ now: 6, later: 2, never: 1, twice: 1 });
    if (how === "never") return;
    if (how === "later") this.process?.timer(dice.exponential(8000), acknowledge);
    else acknowledge();
    if (how === "twice") this.process?.timer(dice.exponential(1000), acknowledge);
  }

  private acknowledge(
    task: TaskRecord | undefined,
    { agent_id, task_id, uuid, state }: TaskStatus,
    key: string,
  ): void {
    task?.acknowledged.add(key);
    if (task !== undefined) {
      task.acknowledgedAt = this.cluster.world.time;
      if (isTerminal(state)) task.acknowledgedEnd = state;
    }
    this.call({ type: Call_Type.ACKNOWLEDGE, acknowledge: { agent_id, task_id, uuid } });
  }
}

function operationText(operation: Offer_Operation): string {
  const type = OperationType[operation.type ?? OperationType.UNKNOWN];
  const tasks = operation.launch?.task_infos ?? operation.launch_group?.task_group?.tasks;
  if (tasks !== undefined) return `${type} ${tasks.map(({ name }) => name).join(" ")}`;
  return `${type} ${operation.id?.value ?? ""} ${Resources.of(operationResources(operation))}`;
}
