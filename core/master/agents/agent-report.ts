import type { ReconcileTasksMessage } from "../../../proto/gen/mesos/internal/messages.js";
import {
  AgentInfo_Capability_Type as Capability,
  type ExecutorInfo,
  type FrameworkInfo,
  TaskStatus_Reason as Reason,
  type Resource,
  type Task,
} from "../../../proto/gen/mesos/v1/mesos.js";
import { convertResource, isPostRefinement, Resources } from "../../../sdk/resources/index.js";
import type { MasterContext } from "../context.js";
import { rolesOf } from "../frameworks/framework.js";
import { frameworkKey } from "../frameworks/framework-key.js";
import { masterStatus } from "../tasks/status.js";
import { TaskEntry } from "../tasks/task.js";
import type { Agent } from "./agent.js";

/* What a returning agent reports of its tasks and executors: decoded, and compared with what the master knows. */

/** Agents without MULTI_ROLE do not say which role resources are allocated to: it is the framework's only role. */
export function allocationRole(agent: Agent, info: FrameworkInfo | undefined): string | undefined {
  if (agent.can(Capability.MULTI_ROLE) || info === undefined) return undefined;
  return rolesOf(info)[0];
}

/** Returns the same list if nothing in it has to change, which is the usual case with current agents. */
function readResources(messages: Resource[], role: string | undefined): Resource[] {
  const isRead = (message: Resource): boolean =>
    isPostRefinement(message) && (role === undefined || message.allocation_info !== undefined);
  if (messages.every(isRead)) return messages;
  return messages.map((message) => {
    const resource = convertResource(message, "post-refinement");
    if (resource.allocation_info === undefined && role !== undefined) resource.allocation_info = { role };
    return resource;
  });
}

/** @param role the result of `allocationRole` */
export function readTask(reported: Task, role: string | undefined): TaskEntry {
  const resources = readResources(reported.resources, role);
  const message = resources === reported.resources ? reported : { ...reported, resources };
  return new TaskEntry({ message, resources: Resources.of(resources) });
}

/** @param role the result of `allocationRole` */
export const readExecutor = (info: ExecutorInfo, role: string | undefined): ExecutorInfo => ({
  ...info,
  resources: readResources(info.resources, role),
});

/**
 * Tasks that the agent did not report: either their launch never reached it, or it crossed with the report. Only the agent can tell, so it
 * is asked, and answers for those that it does not have.
 */
export function unreportedTasks(
  agent: Agent,
  tasks: readonly Task[],
  { cluster, clock }: Pick<MasterContext, "cluster" | "clock">,
): ReconcileTasksMessage[] {
  const reported = new Set(tasks.map((task) => frameworkKey(task.framework_id?.value, task.task_id?.value)));
  const messages: ReconcileTasksMessage[] = [];
  for (const [frameworkId, entries] of agent.taskEntries) {
    const missing = [...entries.values()].filter((task) => !reported.has(frameworkKey(frameworkId, task.id)));
    if (missing.length === 0) continue;
    messages.push({
      framework_id: { value: frameworkId },
      framework: cluster.frameworks.get(frameworkId)?.info,
      statuses: missing.map((task) =>
        masterStatus({
          taskId: task.message.task_id,
          agentId: agent.idMessage,
          state: task.toldState ?? task.state,
          reason: Reason.REASON_RECONCILIATION,
          message: "Reconciliation request",
          now: clock.now(),
        }),
      ),
    });
  }
  return messages;
}
