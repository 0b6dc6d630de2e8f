import type {
  AgentID,
  AgentInfo,
  AgentInfo_Capability,
  AgentInfo_Capability_Type as Capability,
  DrainInfo,
  ExecutorID,
  MachineID,
  Operation,
  Task,
  Unavailability,
  URL,
  UUID,
} from "../../../proto/gen/mesos/v1/mesos.js";
import type { Timer } from "../../../sdk/contracts/clock.js";
import type { AgentRecord } from "../../../sdk/contracts/master-view.js";
import { needsCheckpoint, Resources } from "../../../sdk/resources/index.js";
import { BoundedMap } from "../bounded-map.js";
import { MAX_SETTLED_OPERATIONS } from "../constants.js";
import type { InverseOfferEntry } from "../offers/inverse-offer.js";
import type { OfferEntry } from "../offers/offer.js";
import type { OperationEntry } from "../operations/operation-entry.js";
import { type Pid, parsePid } from "../pid.js";
import type { ExecutorEntry } from "../tasks/executor.js";
import type { TaskEntry } from "../tasks/task.js";
import type { AgentObserver } from "./agent-observer.js";

/** What an agent says about itself when it registers or re-registers. */
export interface AgentFacts {
  /** Includes its id. */
  readonly info: AgentInfo;
  /** The address for messages, `slave(1)@ip:port`. */
  readonly pid: string;
  readonly version: string;
  readonly capabilities: readonly AgentInfo_Capability[];
  readonly total: Resources;
  readonly resourceVersion: UUID | undefined;
}

const NO_EXECUTORS: ExecutorID[] = [];

/** What the master knows of one registered agent. */
export class Agent implements AgentRecord {
  readonly id: string;
  readonly idMessage: AgentID;
  info!: AgentInfo;
  version!: string;
  capabilities!: readonly AgentInfo_Capability[];
  total!: Resources;
  resourceVersion: UUID | undefined;
  /** Resource provider id -> version of its resources. */
  readonly providers = new Map<string, UUID | undefined>();
  /** Where schedulers and people reach it; one object for all of its offers. */
  url!: URL;

  readonly registeredTime: number;
  reregisteredTime: number | undefined;
  /** Whether there is a link to it, as far as the master knows. */
  connected = true;
  /** Whether its resources are offered. */
  active = true;
  /** An operator does not want it to get tasks. */
  deactivated = false;
  /** It is draining or drained. */
  drainInfo: DrainInfo | undefined;
  /** When this master told it to drain; seconds since the epoch. */
  estimatedDrainStartTime: number | undefined;
  /** It is back, but its UpdateSlaveMessage, which lists its operations, has not arrived yet. */
  awaitsUpdate = false;
  /** Its resources are not offered again until that message arrives or this timer fires. */
  hold: Timer | undefined;
  /** When its machine is scheduled for maintenance. */
  unavailability: Unavailability | undefined;

  readonly usedByFramework = new Map<string, Resources>();
  /** Framework id -> task id -> task. */
  readonly taskEntries = new Map<string, Map<string, TaskEntry>>();
  /** Framework id -> executor id -> executor. */
  readonly executorEntries = new Map<string, Map<string, ExecutorEntry>>();
  readonly offers = new Set<OfferEntry>();
  readonly inverseOffers = new Set<InverseOfferEntry>();
  /** Framework id -> ids of tasks that should be killed: the kill is repeated if the agent comes back and they are still alive. */
  readonly killedTasks = new Map<string, Set<string>>();

  /** By UUID. */
  readonly operationEntries = new Map<string, OperationEntry>();
  /** UUIDs of operations whose end was acknowledged recently -> UUIDs of their terminal statuses. */
  readonly settledOperations = new BoundedMap<string, string>(MAX_SETTLED_OPERATIONS);

  observer: AgentObserver | undefined;
  unlink: (() => void) | undefined;
  /** The address at the other end of the link. */
  linkedPid: string | undefined;
  reregistrationTimer: Timer | undefined;

  #pid!: Pid;
  #capabilities = new Set<Capability | undefined>();
  #offered: Resources | undefined;
  #used: Resources | undefined;

  /** @param now seconds since the epoch */
  constructor(facts: AgentFacts, now: number) {
    this.update(facts);
    this.id = facts.info.id?.value ?? "";
    this.idMessage = { value: this.id };
    this.registeredTime = now;
  }

  update(facts: AgentFacts): void {
    this.info = facts.info;
    this.version = facts.version;
    this.capabilities = facts.capabilities;
    this.#capabilities = new Set(facts.capabilities.map(({ type }) => type));
    this.total = facts.total;
    this.resourceVersion = facts.resourceVersion;
    this.#pid = parsePid(facts.pid);
    const { id, ip, port } = this.#pid;
    this.url = {
      scheme: "http",
      address: { hostname: facts.info.hostname ?? "", ip, port },
      path: `/${id}`,
      query: [],
    };
  }

  get pid(): string {
    return this.#pid.text;
  }

  /** The way Mesos prints an agent in messages. */
  toString(): string {
    return `${this.id} at ${this.pid} (${this.info.hostname ?? ""})`;
  }

  /** What it must remember across restarts: dynamic reservations and persistent volumes. */
  get checkpointed(): Resources {
    return this.total.filter(needsCheckpoint);
  }

  get ip(): string {
    return this.#pid.ip;
  }

  /** The machine that it runs on, as operators identify it. */
  get machineId(): MachineID {
    return { hostname: this.info.hostname ?? "", ip: this.ip };
  }

  can(capability: Capability): boolean {
    return this.#capabilities.has(capability);
  }

  addUsed(frameworkId: string, resources: Resources): void {
    this.#used = undefined;
    const used = this.usedByFramework.get(frameworkId);
    this.usedByFramework.set(frameworkId, used === undefined ? resources : used.add(resources));
  }

  subtractUsed(frameworkId: string, resources: Resources): void {
    this.#used = undefined;
    const left = this.usedByFramework.get(frameworkId)?.subtract(resources) ?? Resources.empty;
    if (left.isEmpty) this.usedByFramework.delete(frameworkId);
    else this.usedByFramework.set(frameworkId, left);
  }

  /** Computed when it is read. */
  get used(): Resources {
    this.#used ??= Resources.sum(this.usedByFramework.values());
    return this.#used;
  }

  addOffer(offer: OfferEntry): void {
    this.offers.add(offer);
    this.#offered = undefined;
  }

  removeOffer(offer: OfferEntry): void {
    this.offers.delete(offer);
    this.#offered = undefined;
  }

  get offered(): Resources {
    this.#offered ??= Resources.sum(Array.from(this.offers, ({ resources }) => resources));
    return this.#offered;
  }

  task(frameworkId: string, taskId: string): TaskEntry | undefined {
    return this.taskEntries.get(frameworkId)?.get(taskId);
  }

  hasExecutor(frameworkId: string, executorId: string): boolean {
    return this.executorEntries.get(frameworkId)?.has(executorId) ?? false;
  }

  /** The framework's executors on this agent, as offers list them. */
  executorIds(frameworkId: string): ExecutorID[] {
    const executors = this.executorEntries.get(frameworkId);
    return executors === undefined ? NO_EXECUTORS : Array.from(executors.keys(), (value) => ({ value }));
  }

  /** Ids of the frameworks with tasks or executors on this agent. */
  frameworkIds(): Set<string> {
    return new Set([...this.taskEntries.keys(), ...this.executorEntries.keys()]);
  }

  *tasks(): Iterable<Task> {
    for (const tasks of this.taskEntries.values()) for (const task of tasks.values()) yield task.message;
  }

  *operations(): Iterable<Operation> {
    for (const { message } of this.operationEntries.values()) yield message;
  }

  *executors(): Iterable<ExecutorEntry> {
    for (const executors of this.executorEntries.values()) yield* executors.values();
  }
}
