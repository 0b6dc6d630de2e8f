import { Offer_Operation_Type, TaskState } from "../../../proto/gen/mesos/v1/mesos.js";
import { Call_Type, Event_Type } from "../../../proto/gen/mesos/v1/scheduler/scheduler.js";
import type { Counter, Metrics } from "../../../sdk/contracts/metrics.js";
import { isTerminal } from "../../../sdk/task-states.js";

export interface FrameworkMetricsOptions {
  readonly registry: Metrics;
  readonly name: string;
  readonly id: string;
  /** False: count, but do not publish. */
  readonly publish: boolean;
}

class PrivateCounter implements Counter {
  value = 0;

  inc(amount = 1): void {
    this.value += amount;
  }

  set(value: number): void {
    this.value = value;
  }
}

/** `master/frameworks/<name>/<id>/...`: what one framework asked for, was told and has. */
export class FrameworkMetrics {
  readonly subscribed: Counter;
  readonly offersSent: Counter;
  readonly offersAccepted: Counter;
  readonly offersDeclined: Counter;
  readonly offersRescinded: Counter;
  private readonly calls: Counter;
  private readonly callTypes: readonly (Counter | undefined)[];
  private readonly events: Counter;
  private readonly eventTypes: readonly (Counter | undefined)[];
  private readonly operations: Counter;
  private readonly operationTypes: readonly (Counter | undefined)[];
  private readonly tasks: readonly (Counter | undefined)[];
  private readonly prefix: string;
  private readonly names = new Set<string>();

  constructor(private readonly options: FrameworkMetricsOptions) {
    this.prefix = `master/frameworks/${percentEncode(options.name)}/${options.id}/`;
    this.subscribed = this.counter("subscribed");
    this.offersSent = this.counter("offers/sent");
    this.offersAccepted = this.counter("offers/accepted");
    this.offersDeclined = this.counter("offers/declined");
    this.offersRescinded = this.counter("offers/rescinded");
    this.calls = this.counter("calls");
    this.callTypes = this.counters(Call_Type, (name) => `calls/${name}`);
    this.events = this.counter("events");
    this.eventTypes = this.counters(Event_Type, (name) => `events/${name}`);
    this.operations = this.counter("operations");
    this.operationTypes = this.counters(Offer_Operation_Type, (name) => `operations/${name}`);
    this.tasks = this.counters(TaskState, (name, state) =>
      isTerminal(state) ? `tasks/terminal/${name}` : `tasks/active/${name}`,
    );
  }

  countCall(type: Call_Type): void {
    this.calls.inc();
    this.callTypes[type]?.inc();
  }

  countEvent(type: Event_Type): void {
    this.events.inc();
    this.eventTypes[type]?.inc();
  }

  countOperation(type: Offer_Operation_Type): void {
    this.operations.inc();
    this.operationTypes[type]?.inc();
  }

  /** A task has entered a state. */
  enter(state: TaskState): void {
    this.tasks[state]?.inc();
  }

  /** A task has left a non-terminal state. */
  leave(state: TaskState): void {
    this.tasks[state]?.inc(-1);
  }

  /** 1 for a role in which the framework wants no offers, otherwise 0. */
  setSuppressed(role: string, suppressed: boolean): void {
    this.counter(`roles/${role}/suppressed`).set(suppressed ? 1 : 0);
  }

  /** The framework is no longer in the role. */
  removeRole(role: string): void {
    const full = `${this.prefix}roles/${role}/suppressed`;
    if (this.names.delete(full)) this.options.registry.remove(full);
  }

  /** Removes all of them from the registry of metrics. */
  remove(): void {
    for (const name of this.names) this.options.registry.remove(name);
  }

  private counter(name: string): Counter {
    if (!this.options.publish) return new PrivateCounter();
    const full = this.prefix + name;
    this.names.add(full);
    return this.options.registry.counter(full);
  }

  /** One counter for each known value of an enum, indexed by the value. */
  private counters(
    values: Readonly<Record<string, string | number>>,
    pathOf: (name: string, value: number) => string,
  ): (Counter | undefined)[] {
    const counters: (Counter | undefined)[] = [];
    for (const [name, value] of Object.entries(values)) {
      if (typeof value !== "number" || value < 0 || name === "UNKNOWN") continue;
      counters[value] = this.counter(pathOf(name.toLowerCase(), value));
    }
    return counters;
  }
}

/** As libprocess does it: encodeURIComponent, and the tilde as well. */
const percentEncode = (text: string): string =>
  encodeURIComponent(Buffer.from(text).toString()).replaceAll("~", "%7E");
