import { type Call, Call_Type } from "../../../proto/gen/mesos/v1/executor/executor.js";
import { TaskState, type TaskStatus, TaskStatus_Source } from "../../../proto/gen/mesos/v1/mesos.js";
import type { ExecutorClaims } from "../../../sdk/contracts/executor-service.js";
import type { RunIds } from "../paths.js";

export const UUID_BYTES = 16;

/** What is wrong with a call, in Mesos's words; undefined for a valid one. */
export function executorCallProblem(call: Call): string | undefined {
  if (call.type === undefined) return "Expecting 'type' to be present";
  if (call.executor_id === undefined) return "Expecting 'executor_id' to be present";
  if (call.framework_id === undefined) return "Expecting 'framework_id' to be present";
  switch (call.type) {
    case Call_Type.SUBSCRIBE:
      return call.subscribe === undefined ? "Expecting 'subscribe' to be present" : undefined;
    case Call_Type.UPDATE: {
      const status = call.update?.status;
      return status === undefined ? "Expecting 'update' to be present" : updateProblem(call, status);
    }
    case Call_Type.MESSAGE:
      return call.message === undefined ? "Expecting 'message' to be present" : undefined;
    default:
      return undefined;
  }
}

/** Why somebody with these claims may not act as an executor, in Mesos's words; undefined: they may. */
export function claimsProblem(claims: ExecutorClaims, ids: RunIds): string | undefined {
  const lacks = "The authenticated principal does not contain";
  if (claims.fid !== ids.frameworkId)
    return `${lacks} an 'fid' claim with the framework ID ${ids.frameworkId}, which is set in the call`;
  if (claims.eid !== ids.executorId)
    return `${lacks} an 'eid' claim with the executor ID ${ids.executorId}, which is set in the call`;
  return claims.cid === ids.containerId
    ? undefined
    : `${lacks} a 'cid' claim with the correct active ContainerID`;
}

function updateProblem(call: Call, status: TaskStatus): string | undefined {
  const executorId = call.executor_id?.value ?? "";
  const sender = `Received Call from executor ${executorId} of framework ${call.framework_id?.value}`;
  if (status.uuid === undefined) return "Expecting 'uuid' to be present";
  if (status.uuid.length !== UUID_BYTES) return "Not a valid UUID";
  if (status.executor_id !== undefined && status.executor_id.value !== executorId) {
    return `ExecutorID in Call: ${executorId} does not match ExecutorID in TaskStatus: ${status.executor_id.value}`;
  }
  if (status.source !== TaskStatus_Source.SOURCE_EXECUTOR) {
    return `${sender} with invalid source, expecting 'SOURCE_EXECUTOR'`;
  }
  if (status.state === TaskState.TASK_STAGING) {
    return `Received TASK_STAGING from executor ${executorId} of framework ${call.framework_id?.value} which is not allowed`;
  }
  return undefined;
}
