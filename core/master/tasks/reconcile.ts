import {
  OperationState,
  type OperationStatus,
  TaskStatus_Reason as Reason,
  TaskState,
  type TaskStatus,
} from "../../../proto/gen/mesos/v1/mesos.js";
import type {
  Call_Reconcile_Task,
  Call_ReconcileOperations_Operation,
} from "../../../proto/gen/mesos/v1/scheduler/scheduler.js";
import type { MasterContext } from "../context.js";
import { operationUpdate, update } from "../frameworks/events.js";
import type { Framework } from "../frameworks/framework.js";
import type { OperationEntry } from "../operations/operation-entry.js";
import { masterStatus } from "./status.js";
import type { TaskEntry } from "./task.js";

/** RECONCILE and RECONCILE_OPERATIONS: tells schedulers what the master knows. The answers are not acknowledged. */
export class Reconciliation {
  constructor(private readonly context: MasterContext) {}

  reconcile(framework: Framework, tasks: readonly Call_Reconcile_Task[]): void {
    this.context.metrics.counters.messages_reconcile_tasks.inc();
    if (tasks.length > 0) this.answer(framework, tasks);
    else for (const task of framework.taskEntries.values()) this.send(framework, this.latest(task));
  }

  /** Answers as to a RECONCILE call for these tasks. */
  explicit(framework: Framework, tasks: readonly Call_Reconcile_Task[]): void {
    this.context.metrics.counters.messages_reconcile_tasks.inc();
    this.answer(framework, tasks);
  }

  private answer(framework: Framework, tasks: readonly Call_Reconcile_Task[]): void {
    for (const asked of tasks) {
      const task = framework.taskEntries.get(asked.task_id?.value ?? "");
      const status = task === undefined ? this.unknown(framework, asked) : this.latest(task);
      this.send(framework, status);
    }
  }

  private send(framework: Framework, status: TaskStatus | undefined): void {
    if (status !== undefined) framework.send(update(status));
  }

  /** Undefined if only an update that the agent is about to send can tell. */
  private latest(task: TaskEntry): TaskStatus | undefined {
    const state = task.toldState;
    if (state === undefined) return undefined;
    return masterStatus({
      taskId: task.message.task_id,
      agentId: task.message.agent_id,
      executorId: task.message.executor_id,
      state,
      reason: Reason.REASON_RECONCILIATION,
      message: "Reconciliation: Latest task state",
      now: this.context.clock.now(),
      of: task.message,
    });
  }

  /** What became of a task that the master does not have; undefined if only an agent that is not back yet can tell. */
  private unknown(framework: Framework, asked: Call_Reconcile_Task): TaskStatus | undefined {
    const { cluster } = this.context;
    const agentId = asked.agent_id?.value;
    const awaited =
      agentId === undefined ? cluster.recoveredAgents.size > 0 : cluster.recoveredAgents.has(agentId);
    if (awaited) return undefined;
    const unreachableTime = agentId === undefined ? undefined : cluster.unreachableAgents.get(agentId);
    const [state, fate] = this.fateOf(agentId);
    return masterStatus({
      taskId: asked.task_id,
      agentId: asked.agent_id,
      state: framework.partitionAware ? state : TaskState.TASK_LOST,
      reason: Reason.REASON_RECONCILIATION,
      message: `Reconciliation: Task is ${fate}`,
      now: this.context.clock.now(),
      unreachableTime,
    });
  }

  private fateOf(agentId: string | undefined): [state: TaskState, fate: string] {
    const { cluster } = this.context;
    if (agentId !== undefined) {
      if (cluster.agents.has(agentId)) return [TaskState.TASK_GONE, "unknown to the agent"];
      if (cluster.unreachableAgents.has(agentId)) return [TaskState.TASK_UNREACHABLE, "unreachable"];
      if (cluster.goneAgents.has(agentId)) return [TaskState.TASK_GONE_BY_OPERATOR, "gone"];
    }
    return [TaskState.TASK_UNKNOWN, "unknown"];
  }

  operations(framework: Framework, operations: readonly Call_ReconcileOperations_Operation[]): void {
    this.context.metrics.counters.messages_reconcile_operations.inc();
    const known = (entry: OperationEntry): void => {
      const { uuid: _, ...status } = entry.lastReported;
      framework.send(operationUpdate(status));
    };
    if (operations.length === 0) {
      for (const entry of framework.operationEntries.values()) known(entry);
      return;
    }
    for (const asked of operations) {
      const entry = framework.operationsById.get(asked.operation_id?.value ?? "");
      if (entry !== undefined) {
        known(entry);
        continue;
      }
      const [state, message] = this.operationFate(asked.agent_id?.value);
      const status: OperationStatus = {
        operation_id: asked.operation_id,
        state,
        message: `Reconciliation: ${message}`,
        converted_resources: [],
      };
      if (asked.agent_id !== undefined) status.agent_id = asked.agent_id;
      if (asked.resource_provider_id !== undefined) status.resource_provider_id = asked.resource_provider_id;
      framework.send(operationUpdate(status));
    }
  }

  /** What became of an operation that the master does not have. */
  private operationFate(agentId: string | undefined): [state: OperationState, message: string] {
    const { cluster } = this.context;
    if (agentId === undefined) {
      return [OperationState.OPERATION_UNKNOWN, "Operation is unknown and no 'agent_id' was provided"];
    }
    if (cluster.recoveredAgents.has(agentId)) {
      return [OperationState.OPERATION_RECOVERING, "Agent is recovered but has not re-registered"];
    }
    if (cluster.agents.has(agentId)) return [OperationState.OPERATION_UNKNOWN, "Operation is unknown"];
    if (cluster.unreachableAgents.has(agentId)) {
      return [OperationState.OPERATION_UNREACHABLE, "Agent is unreachable"];
    }
    if (cluster.goneAgents.has(agentId)) {
      return [OperationState.OPERATION_GONE_BY_OPERATOR, "Agent marked gone by operator"];
    }
    return [OperationState.OPERATION_UNKNOWN, "Both operation and agent are unknown"];
  }
}
