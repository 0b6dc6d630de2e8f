import type { StatusUpdate } from "../../../proto/gen/mesos/internal/messages.js";
import type {
  CheckStatusInfo,
  TaskStatus_Reason as Reason,
  Resource,
  TaskStatus_Source as Source,
  TaskState,
  TaskStatus,
} from "../../../proto/gen/mesos/v1/mesos.js";

/** What is reported about a task; the other fields of a status update depend on who reports, and when. */
export interface StatusFacts {
  readonly frameworkId: string;
  readonly taskId: string;
  readonly executorId?: string | undefined;
  readonly state: TaskState;
  readonly source: Source;
  readonly reason?: Reason | undefined;
  readonly message?: string | undefined;
  readonly data?: Buffer | undefined;
  readonly healthy?: boolean | undefined;
  readonly checkStatus?: CheckStatusInfo | undefined;
  readonly limitedResources?: readonly Resource[] | undefined;
}

export interface StatusOrigin {
  readonly agentId: string;
  /** Seconds since the epoch. */
  readonly timestamp: number;
  readonly uuid: Buffer;
}

export function makeUpdate(facts: StatusFacts, origin: StatusOrigin): StatusUpdate {
  const agentId = { value: origin.agentId };
  const executorId = facts.executorId === undefined ? undefined : { value: facts.executorId };
  const status: TaskStatus = {
    task_id: { value: facts.taskId },
    state: facts.state,
    source: facts.source,
    agent_id: agentId,
    executor_id: executorId,
    timestamp: origin.timestamp,
    uuid: origin.uuid,
    ...(facts.reason !== undefined && { reason: facts.reason }),
    ...(facts.message !== undefined && { message: facts.message }),
    ...(facts.data !== undefined && { data: facts.data }),
    ...(facts.healthy !== undefined && { healthy: facts.healthy }),
    ...(facts.checkStatus !== undefined && { check_status: facts.checkStatus }),
    ...(facts.limitedResources !== undefined && { limitation: { resources: [...facts.limitedResources] } }),
  };
  return {
    framework_id: { value: facts.frameworkId },
    executor_id: executorId,
    slave_id: agentId,
    status,
    timestamp: origin.timestamp,
    uuid: origin.uuid,
  };
}

/** A textual UUID in bytes, as Mesos sends it. */
export const uuidBytes = (uuid: string): Buffer => Buffer.from(uuid.replaceAll("-", ""), "hex");
