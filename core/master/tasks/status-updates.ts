import type {
  ExecutorToFrameworkMessage,
  ExitedExecutorMessage,
  StatusUpdate,
} from "../../../proto/gen/mesos/internal/messages.js";
import type { TaskStatus } from "../../../proto/gen/mesos/v1/mesos.js";
import type { Agent } from "../agents/agent.js";
import type { MasterContext } from "../context.js";
import { executorExited, executorMessage, update } from "../frameworks/events.js";
import { validateUuid } from "../validation/call.js";
import type { TaskEntry } from "./task.js";

/** What agents report about tasks and executors: accounted for, and forwarded to the scheduler. */
export class StatusUpdates {
  constructor(private readonly context: MasterContext) {}

  /** The agent keeps the update until the scheduler acknowledges it: the master does not store or resend it. */
  statusUpdate(agent: Agent, message: StatusUpdate): void {
    const { cluster, ledger, logger, metrics } = this.context;
    const frameworkId = message.framework_id?.value ?? "";
    const status = statusOf(message);
    if (status === undefined) {
      metrics.counters.invalid_status_updates.inc();
      logger.warn({ agent: agent.id }, "Dropped a status update without a task, a state or a valid UUID");
      return;
    }
    if (logger.enabled("debug")) {
      logger.debug(
        { framework: frameworkId, task: status.task_id?.value, state: status.state },
        "Status update",
      );
    }
    const framework = cluster.frameworks.get(frameworkId);
    const task = agent.task(frameworkId, status.task_id?.value ?? "");
    if (task !== undefined) shareIds(status, task, agent);
    const delivered = framework?.connected ?? false;
    // The agent resends it until it is acknowledged, so a disconnected scheduler loses nothing.
    if (delivered) framework?.send(update(status));
    if (task === undefined) {
      metrics.counters.invalid_status_updates.inc();
      logger.warn(
        { framework: frameworkId, task: status.task_id?.value },
        "Status update for an unknown task",
      );
      return;
    }
    ledger.updateTask(task, status, { latest: message.latest_state, delivered });
    metrics.counters[delivered ? "valid_status_updates" : "invalid_status_updates"].inc();
  }

  exitedExecutor(agent: Agent, message: ExitedExecutorMessage): void {
    const frameworkId = message.framework_id?.value ?? "";
    const executorId = message.executor_id;
    const executor = agent.executorEntries.get(frameworkId)?.get(executorId?.value ?? "");
    // The master does not know the executors of command tasks.
    if (executor === undefined || executorId === undefined) return;
    this.context.ledger.removeExecutor(executor, agent);
    const framework = this.context.cluster.frameworks.get(frameworkId);
    if (!framework?.connected) return;
    framework.send(executorExited({ agentId: agent.idMessage, executorId, status: message.status ?? 0 }));
  }

  executorMessage(agent: Agent, message: ExecutorToFrameworkMessage): void {
    const { counters } = this.context.metrics;
    const framework = this.context.cluster.frameworks.get(message.framework_id?.value ?? "");
    const { executor_id: executorId, data } = message;
    if (!framework?.connected || executorId === undefined || data === undefined) {
      counters.invalid_executor_to_framework_messages.inc();
      return;
    }
    framework.send(executorMessage({ agentId: agent.idMessage, executorId, data }));
    counters.valid_executor_to_framework_messages.inc();
  }
}

/** The status, completed from the message around it; undefined if it cannot be one. */
function statusOf({ status, slave_id, executor_id, timestamp, uuid }: StatusUpdate): TaskStatus | undefined {
  if (status?.task_id === undefined || status.state === undefined) return undefined;
  if (validateUuid(uuid) !== undefined) return undefined;
  if (slave_id !== undefined) status.agent_id = slave_id;
  if (executor_id !== undefined) status.executor_id = executor_id;
  if (timestamp !== undefined) status.timestamp = timestamp;
  status.uuid = uuid;
  return status;
}

/** Histories hold many statuses: their ids share the objects of the task and the agent. */
function shareIds(status: TaskStatus, { message }: TaskEntry, agent: Agent): void {
  status.task_id = message.task_id;
  if (status.agent_id?.value === agent.id) status.agent_id = agent.idMessage;
  const before = message.statuses.at(-1)?.executor_id ?? message.executor_id;
  if (before !== undefined && status.executor_id?.value === before.value) status.executor_id = before;
}
