import {
  FrameworkInfo_Capability_Type as Capability,
  type FrameworkID,
  FrameworkInfo,
  type InverseOffer,
  type Offer,
  type Task,
} from "../../../proto/gen/mesos/v1/mesos.js";
import type { Event, OfferConstraints } from "../../../proto/gen/mesos/v1/scheduler/scheduler.js";
import { Event_Type } from "../../../proto/gen/mesos/v1/scheduler/scheduler.js";
import type { Timer } from "../../../sdk/contracts/clock.js";
import type { FrameworkRecord } from "../../../sdk/contracts/master-view.js";
import type { SchedulerConnection } from "../../../sdk/contracts/scheduler-service.js";
import { Resources } from "../../../sdk/resources/index.js";
import { BoundedMap } from "../bounded-map.js";
import { History } from "../history.js";
import type { FrameworkMetrics } from "../metrics/framework-metrics.js";
import type { InverseOfferEntry } from "../offers/inverse-offer.js";
import type { OfferEntry } from "../offers/offer.js";
import type { OperationEntry } from "../operations/operation-entry.js";
import type { ExecutorEntry } from "../tasks/executor.js";
import type { TaskEntry } from "../tasks/task.js";
import { TaskMessages } from "../tasks/task-messages.js";

/**
 * - `recovered`: agents run its tasks, or it subscribed to an earlier master; its scheduler has not subscribed here yet.
 * - `connected`: its scheduler has a stream.
 * - `disconnected`: the stream has ended and `failover_timeout` is running.
 */
export type FrameworkState = "recovered" | "connected" | "disconnected";

export interface FrameworkParts {
  /** Includes its id. */
  readonly info: FrameworkInfo;
  /** Known from an earlier master; its scheduler has not subscribed yet. */
  readonly recovered: boolean;
  readonly metrics: FrameworkMetrics;
  /** Seconds since the epoch. */
  readonly now: number;
  readonly maxCompletedTasks: number;
  readonly maxUnreachableTasks: number;
}

/** The stream to a scheduler, with the id that its calls must carry. */
export interface FrameworkStream {
  readonly connection: SchedulerConnection;
  readonly streamId: string;
  /** Address of the scheduler, if it uses the v0 driver. */
  readonly pid?: string | undefined;
}

/** What the master knows of one framework. */
export class Framework implements FrameworkRecord {
  readonly id: string;
  readonly idMessage: FrameworkID;
  readonly metrics: FrameworkMetrics;
  /** Address of its current or last scheduler, if that uses the v0 driver. */
  pid: string | undefined;

  /** Whether it gets offers. */
  active: boolean;
  stream: FrameworkStream | undefined;
  heartbeat: Timer | undefined;
  failoverTimer: Timer | undefined;
  suppressed = new Set<string>();
  offerConstraints: OfferConstraints | undefined;

  registeredTime: number;
  reregisteredTime: number | undefined;
  unregisteredTime = 0;

  readonly taskEntries = new Map<string, TaskEntry>();
  readonly unreachable: BoundedMap<string, TaskEntry>;
  readonly completed: History<Task>;
  readonly offerEntries = new Map<string, OfferEntry>();
  readonly inverseOfferEntries = new Set<InverseOfferEntry>();
  /** Agent id -> executor id -> executor. */
  readonly executorEntries = new Map<string, Map<string, ExecutorEntry>>();
  /** Agent id -> resources used by its tasks and executors there. */
  readonly usedByAgent = new Map<string, Resources>();

  /** By UUID. */
  readonly operationEntries = new Map<string, OperationEntry>();
  /** By the ids that the framework gave them. */
  readonly operationsById = new Map<string, OperationEntry>();

  #info!: FrameworkInfo;
  #encoded: Uint8Array | undefined;
  #state: FrameworkState;
  #roles: readonly string[] = [];
  #capabilities = new Set<Capability | undefined>();
  #used: Resources | undefined;
  #offered: Resources | undefined;

  constructor(parts: FrameworkParts) {
    this.info = parts.info;
    this.id = parts.info.id?.value ?? "";
    this.idMessage = { value: this.id };
    this.metrics = parts.metrics;
    this.#state = parts.recovered ? "recovered" : "disconnected";
    // A new framework is connected in the same turn in which it is created.
    this.active = !parts.recovered;
    this.registeredTime = parts.recovered ? 0 : parts.now;
    this.completed = new History(parts.maxCompletedTasks);
    this.unreachable = new BoundedMap(parts.maxUnreachableTasks);
  }

  get info(): FrameworkInfo {
    return this.#info;
  }

  set info(info: FrameworkInfo) {
    this.#info = info;
    this.#encoded = undefined;
    this.#capabilities = new Set(info.capabilities.map(({ type }) => type));
    this.#roles = rolesOf(info);
  }

  /** The encoded info, computed once: it is sent with every task. */
  get encodedInfo(): Uint8Array {
    this.#encoded ??= FrameworkInfo.encode(this.#info).finish();
    return this.#encoded;
  }

  get state(): FrameworkState {
    return this.#state;
  }

  set state(state: FrameworkState) {
    this.#state = state;
    this.metrics.subscribed.set(state === "connected" ? 1 : 0);
  }

  get connected(): boolean {
    return this.#state === "connected";
  }

  get recovered(): boolean {
    return this.#state === "recovered";
  }

  get roles(): readonly string[] {
    return this.#roles;
  }

  get suppressedRoles(): readonly string[] {
    return [...this.suppressed];
  }

  can(capability: Capability): boolean {
    return this.#capabilities.has(capability);
  }

  get partitionAware(): boolean {
    return this.#capabilities.has(Capability.PARTITION_AWARE);
  }

  get multiRole(): boolean {
    return this.#capabilities.has(Capability.MULTI_ROLE);
  }

  get reservationRefinement(): boolean {
    return this.#capabilities.has(Capability.RESERVATION_REFINEMENT);
  }

  /** Sends an event; without a stream it is lost, as the protocol allows. Lost events are counted too, as in Mesos. */
  send(event: Event): void {
    this.metrics.countEvent(event.type ?? Event_Type.UNKNOWN);
    this.stream?.connection.send(event);
  }

  addOperation(entry: OperationEntry): void {
    this.operationEntries.set(entry.key, entry);
    if (entry.operationId !== undefined) this.operationsById.set(entry.operationId, entry);
  }

  removeOperation(entry: OperationEntry): void {
    this.operationEntries.delete(entry.key);
    const { operationId } = entry;
    // A later operation may have reused the id.
    if (operationId !== undefined && this.operationsById.get(operationId) === entry) {
      this.operationsById.delete(operationId);
    }
  }

  forgetOperations(): void {
    this.operationEntries.clear();
    this.operationsById.clear();
  }

  hasExecutor(agentId: string, executorId: string): boolean {
    return this.executorEntries.get(agentId)?.has(executorId) ?? false;
  }

  addUsed(agentId: string, resources: Resources): void {
    const used = this.usedByAgent.get(agentId);
    this.usedByAgent.set(agentId, used === undefined ? resources : used.add(resources));
    this.#used = undefined;
  }

  subtractUsed(agentId: string, resources: Resources): void {
    const left = this.usedByAgent.get(agentId)?.subtract(resources) ?? Resources.empty;
    if (left.isEmpty) this.usedByAgent.delete(agentId);
    else this.usedByAgent.set(agentId, left);
    this.#used = undefined;
  }

  /** Computed when it is read: the sum over thousands of agents is not worth updating for every task. */
  get used(): Resources {
    this.#used ??= Resources.sum(this.usedByAgent.values());
    return this.#used;
  }

  addOffer(offer: OfferEntry): void {
    this.offerEntries.set(offer.id, offer);
    this.#offered = undefined;
  }

  removeOffer(offer: OfferEntry): void {
    this.offerEntries.delete(offer.id);
    this.#offered = undefined;
  }

  get offered(): Resources {
    this.#offered ??= Resources.sum(Array.from(this.offerEntries.values(), ({ resources }) => resources));
    return this.#offered;
  }

  get tasks(): ReadonlyMap<string, Task> {
    return new TaskMessages(this.taskEntries);
  }

  get unreachableTasks(): Iterable<Task> {
    return Array.from(this.unreachable.values(), ({ message }) => message);
  }

  get completedTasks(): Iterable<Task> {
    return this.completed;
  }

  get offers(): Iterable<Offer> {
    return Array.from(this.offerEntries.values(), (offer) => offer.message);
  }

  get inverseOffers(): Iterable<InverseOffer> {
    return Array.from(this.inverseOfferEntries, (offer) => offer.message);
  }

  *executors(): Iterable<ExecutorEntry> {
    for (const executors of this.executorEntries.values()) yield* executors.values();
  }
}

/** The effective roles: `roles` for MULTI_ROLE frameworks, otherwise the single `role`, `*` by default. Sorted, without duplicates. */
export function rolesOf(info: FrameworkInfo): string[] {
  const multiRole = info.capabilities.some(({ type }) => type === Capability.MULTI_ROLE);
  return multiRole ? [...new Set(info.roles)].sort() : [info.role ?? "*"];
}
