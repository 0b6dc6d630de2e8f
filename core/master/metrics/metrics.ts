import {
  Offer_Operation_Type,
  OperationState,
  TaskState,
  type TaskStatus,
  TaskStatus_Reason,
  TaskStatus_Source,
} from "../../../proto/gen/mesos/v1/mesos.js";
import type { Counter, Metrics } from "../../../sdk/contracts/metrics.js";
import { PrincipalMetrics } from "./principal-metrics.js";

/** Every counter of the master, without the prefix `master/`. */
const COUNTERS = [
  "dropped_messages",
  "http_cache_hits",
  "invalid_executor_to_framework_messages",
  "invalid_framework_to_executor_messages",
  "invalid_operation_status_update_acknowledgements",
  "invalid_operation_status_updates",
  "invalid_status_update_acknowledgements",
  "invalid_status_updates",
  "messages_authenticate",
  "messages_deactivate_framework",
  "messages_decline_offers",
  "messages_executor_to_framework",
  "messages_exited_executor",
  "messages_framework_to_executor",
  "messages_kill_task",
  "messages_launch_tasks",
  "messages_operation_status_update",
  "messages_operation_status_update_acknowledgement",
  "messages_reconcile_operations",
  "messages_reconcile_tasks",
  "messages_register_framework",
  "messages_register_slave",
  "messages_reregister_framework",
  "messages_reregister_slave",
  "messages_resource_request",
  "messages_revive_offers",
  "messages_status_update",
  "messages_status_update_acknowledgement",
  "messages_suppress_offers",
  "messages_unregister_framework",
  "messages_unregister_slave",
  "messages_update_slave",
  "operator_event_stream_subscribers",
  "recovery_slave_removals",
  "slave_registrations",
  "slave_removals",
  "slave_removals/reason_registered",
  "slave_removals/reason_unhealthy",
  "slave_removals/reason_unregistered",
  "slave_reregistrations",
  "slave_shutdowns_canceled",
  "slave_shutdowns_completed",
  "slave_shutdowns_scheduled",
  "slave_unreachable_canceled",
  "slave_unreachable_completed",
  "slave_unreachable_scheduled",
  "tasks_dropped",
  "tasks_error",
  "tasks_failed",
  "tasks_finished",
  "tasks_gone",
  "tasks_gone_by_operator",
  "tasks_killed",
  "tasks_lost",
  "valid_executor_to_framework_messages",
  "valid_framework_to_executor_messages",
  "valid_operation_status_update_acknowledgements",
  "valid_operation_status_updates",
  "valid_status_update_acknowledgements",
  "valid_status_updates",
] as const;

export type CounterName = (typeof COUNTERS)[number];

const OPERATION_STATES = [
  "total",
  "pending",
  "recovering",
  "unreachable",
  "finished",
  "failed",
  "error",
  "dropped",
  "gone_by_operator",
] as const;

type OperationStateName = (typeof OPERATION_STATES)[number];

const OPERATION_TYPES = [
  "create",
  "create_disk",
  "destroy",
  "destroy_disk",
  "grow_volume",
  "reserve",
  "shrink_volume",
  "unreserve",
] as const;

/** The counter for each terminal state; other states have none. */
const TASK_ENDS: { readonly [state: number]: CounterName } = {
  [TaskState.TASK_FINISHED]: "tasks_finished",
  [TaskState.TASK_FAILED]: "tasks_failed",
  [TaskState.TASK_KILLED]: "tasks_killed",
  [TaskState.TASK_LOST]: "tasks_lost",
  [TaskState.TASK_ERROR]: "tasks_error",
  [TaskState.TASK_DROPPED]: "tasks_dropped",
  [TaskState.TASK_GONE]: "tasks_gone",
  [TaskState.TASK_GONE_BY_OPERATOR]: "tasks_gone_by_operator",
};

/** The master's counters, under Mesos's names. The objects are created once, so that counting needs no lookup by name. */
export class MasterMetrics {
  readonly counters: Readonly<Record<CounterName, Counter>>;
  readonly principals: PrincipalMetrics;
  private readonly operations = new Map<string, Counter>();
  private readonly reasons = new Map<number, Counter>();

  constructor(readonly registry: Metrics) {
    const counters: Partial<Record<CounterName, Counter>> = {};
    for (const name of COUNTERS) counters[name] = registry.counter(`master/${name}`);
    this.principals = new PrincipalMetrics(registry);
    this.counters = counters as Record<CounterName, Counter>;
    for (const state of OPERATION_STATES) this.addOperationCounter(state);
    for (const type of OPERATION_TYPES) {
      for (const state of OPERATION_STATES) this.addOperationCounter(`${type}/${state}`);
    }
  }

  /** Counts a task that the status ends, or makes unreachable. */
  countEnd(status: TaskStatus): void {
    const name = TASK_ENDS[status.state ?? -1];
    if (name !== undefined) this.counters[name].inc();
    this.countReason(status);
  }

  /** An operation has entered a state. */
  operationEntered(type: Offer_Operation_Type | undefined, state: OperationState): void {
    this.changeOperation(type, state, 1);
  }

  /** An operation is gone before it ended. */
  operationLeft(type: Offer_Operation_Type | undefined, state: OperationState): void {
    this.changeOperation(type, state, -1);
  }

  operationMoved(type: Offer_Operation_Type | undefined, from: OperationState, to: OperationState): void {
    if (from === to) return;
    this.operationLeft(type, from);
    this.operationEntered(type, to);
  }

  private changeOperation(type: Offer_Operation_Type | undefined, state: OperationState, by: number): void {
    const stateName = OperationState[state]?.slice("OPERATION_".length).toLowerCase() as OperationStateName;
    const typeName = Offer_Operation_Type[type ?? 0]?.toLowerCase();
    for (const name of [stateName, "total"]) {
      this.operations.get(name)?.inc(by);
      this.operations.get(`${typeName}/${name}`)?.inc(by);
    }
  }

  /** `master/task_lost/source_master/reason_slave_removed`, created on first use. */
  private countReason({ state, source, reason }: TaskStatus): void {
    if (state === undefined || source === undefined || reason === undefined) return;
    const key = (state * 16 + source) * 256 + reason;
    let counter = this.reasons.get(key);
    if (counter === undefined) {
      const path = `${TaskState[state]}/${TaskStatus_Source[source]}/${TaskStatus_Reason[reason]}`;
      // Metric names use the v0 enums, in which an agent is a slave.
      counter = this.registry.counter(`master/${path.toLowerCase().replaceAll("_agent", "_slave")}`);
      this.reasons.set(key, counter);
    }
    counter.inc();
  }

  private addOperationCounter(name: string): void {
    this.operations.set(name, this.registry.counter(`master/operations/${name}`));
  }
}
