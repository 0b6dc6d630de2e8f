import {
  type AgentID,
  type ExecutorID,
  type Task,
  type TaskID,
  type TaskState,
  type TaskStatus,
  type TaskStatus_Reason,
  TaskStatus_Source,
  type TimeInfo,
} from "../../../proto/gen/mesos/v1/mesos.js";

export interface MasterStatus {
  readonly taskId: TaskID | undefined;
  readonly agentId?: AgentID | undefined;
  readonly executorId?: ExecutorID | undefined;
  readonly state: TaskState;
  readonly reason: TaskStatus_Reason;
  readonly message: string;
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly unreachableTime?: TimeInfo | undefined;
  /** Health, check and container status are repeated from this task's history. */
  readonly of?: Task | undefined;
}

/** A status that originates from the master. It has no uuid: nobody expects an acknowledgement. */
export function masterStatus(parts: MasterStatus): TaskStatus {
  const status: TaskStatus = {
    task_id: parts.taskId,
    state: parts.state,
    message: parts.message,
    source: TaskStatus_Source.SOURCE_MASTER,
    reason: parts.reason,
    timestamp: parts.now / 1000,
  };
  if (parts.agentId !== undefined) status.agent_id = parts.agentId;
  if (parts.executorId !== undefined) status.executor_id = parts.executorId;
  if (parts.unreachableTime !== undefined) status.unreachable_time = parts.unreachableTime;
  if (parts.of !== undefined) repeatFacts(status, parts.of.statuses);
  return status;
}

function repeatFacts(status: TaskStatus, history: readonly TaskStatus[]): void {
  const last = history.at(-1);
  if (last?.healthy !== undefined) status.healthy = last.healthy;
  if (last?.check_status !== undefined) status.check_status = last.check_status;
  const contained = history.findLast((one) => one.container_status !== undefined);
  if (contained !== undefined) status.container_status = contained.container_status;
}

/** The current time as Mesos encodes instants. */
export function timeInfo(nowMs: number): TimeInfo {
  return { nanoseconds: BigInt(Math.round(nowMs * 1000)) * 1000n };
}
