import {
  AgentInfo_Capability_Type as Capability,
  type OperationStatus,
} from "../../../proto/gen/mesos/v1/mesos.js";
import type { Call_AcknowledgeOperationStatus } from "../../../proto/gen/mesos/v1/scheduler/scheduler.js";
import type { Agent } from "../agents/agent.js";
import type { Cluster } from "../cluster.js";
import type { Framework } from "../frameworks/framework.js";
import { type OperationEntry, uuidKey } from "./operation-entry.js";

export interface AcknowledgedOperation {
  readonly agent: Agent;
  readonly entry: OperationEntry;
  readonly status: OperationStatus;
}

/** The operation that a framework acknowledges or, as text, why the acknowledgement cannot be forwarded. */
export function acknowledgedOperation(
  cluster: Cluster,
  framework: Framework,
  call: Call_AcknowledgeOperationStatus,
): AcknowledgedOperation | string {
  const agent = cluster.agents.get(call.agent_id?.value ?? "");
  if (agent === undefined) return "the agent is not registered";
  if (!agent.connected) return "the agent is disconnected";
  const needed =
    call.resource_provider_id === undefined
      ? Capability.AGENT_OPERATION_FEEDBACK
      : Capability.RESOURCE_PROVIDER;
  if (!agent.can(needed)) return `the agent does not have the ${Capability[needed]} capability`;
  const entry = framework.operationsById.get(call.operation_id?.value ?? "");
  if (entry === undefined || entry.agentId !== agent.id) return "the operation is unknown";
  const uuid = Buffer.from(call.uuid ?? []).toString("hex");
  const status = entry.message.statuses.find((one) => uuid !== "" && uuidKey(one.uuid) === uuid);
  return status === undefined ? "the status is unknown" : { agent, entry, status };
}
