import * as codecs from "../../proto/gen/json/mesos/v1/mesos.js";
import { FrameworkInfo_Capability_Type, type TaskInfo } from "../../proto/gen/mesos/v1/mesos.js";
import type { AgentExecutorView, AgentFrameworkView } from "../../sdk/contracts/agent-view.js";
import { doubleJson, resourcesJson } from "../../sdk/resources/index.js";
import {
  allocationRoleOf,
  changingTaskJson,
  commandJson,
  executorTypeName,
  flatResourcesJson,
  labelsJson,
  listOf,
  memo,
  quote,
  stringsJson,
} from "../../sdk/v0-json/index.js";

const discovery = codecs.DiscoveryInfo.json;

/** A framework as the agent's `/state` shows it, with its executors and their tasks. */
export function frameworkJson({ id, info, executors, completedExecutors }: AgentFrameworkView): string {
  const multiRole = info.capabilities.some(({ type }) => type === FrameworkInfo_Capability_Type.MULTI_ROLE);
  return (
    `{"id":${quote(id)},"name":${quote(info.name ?? "")},"user":${quote(info.user ?? "")}` +
    `,"failover_timeout":${doubleJson(info.failover_timeout ?? 0)},"checkpoint":${info.checkpoint ?? false}` +
    `,"hostname":${quote(info.hostname ?? "")}` +
    `${info.principal === undefined ? "" : `,"principal":${quote(info.principal)}`}` +
    `${multiRole ? `,"roles":${stringsJson(info.roles)}` : `,"role":${quote(info.role ?? "*")}`}` +
    `,"executors":${listOf(executors, executorJson)},"completed_executors":${listOf(completedExecutors, executorJson)}}`
  );
}

function executorJson(executor: AgentExecutorView): string {
  const { id, name, source, containerId, directory, resources, role, info, generated } = executor;
  return (
    `{"id":${quote(id)},"name":${quote(name)},"source":${quote(source)},"container":${quote(containerId.value ?? "")}` +
    `,"directory":${quote(directory)},"resources":${resourcesJson(resources)}` +
    `${role === "" ? "" : `,"role":${quote(role)}`}` +
    `${info.labels === undefined ? "" : `,"labels":${labelsJson(info.labels)}`}` +
    // Mesos's own command executor has no type, and a command task shows as if it had that executor.
    `${info.type === undefined || generated ? "" : `,"type":${quote(executorTypeName(info.type))}`}` +
    `,"tasks":${listOf(executor.tasks, changingTaskJson)},"queued_tasks":${listOf(executor.queuedTasks, queuedTaskJson)}` +
    // Mesos has no place of their own for tasks whose end is not acknowledged.
    `,"completed_tasks":${listOf([...executor.completedTasks, ...executor.terminatedTasks], changingTaskJson)}}`
  );
}

/** A task that waits for its executor: not a task yet, only the wish for one. */
const queuedTaskJson = memo((task: TaskInfo): string => {
  let json =
    `{"id":${quote(task.task_id?.value ?? "")},"name":${quote(task.name ?? "")}` +
    `,"slave_id":${quote(task.agent_id?.value ?? "")},"resources":${flatResourcesJson(task.resources)}` +
    `,"role":${quote(allocationRoleOf(task.resources))}`;
  if (task.command !== undefined) json += `,"command":${commandJson(task.command)}`;
  if (task.executor !== undefined) json += `,"executor_id":${quote(task.executor.executor_id?.value ?? "")}`;
  if (task.discovery !== undefined) json += `,"discovery":${discovery.write(task.discovery)}`;
  return `${json}}`;
});
