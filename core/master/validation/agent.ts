import type {
  RegisterSlaveMessage,
  ReregisterSlaveMessage,
} from "../../../proto/gen/mesos/internal/messages.js";
import { type AgentInfo, type FrameworkInfo, TaskState } from "../../../proto/gen/mesos/v1/mesos.js";
import { validateId } from "../../../sdk/ids/index.js";
import { validateResources } from "../../../sdk/resources/index.js";
import { frameworkKey } from "../frameworks/framework-key.js";
import { validateExecutorInfo } from "./executor.js";
import { validateFrameworkInfo } from "./framework.js";

/*
 * What is wrong with the messages with which agents register.
 * Source: src/master/validation.cpp, namespace `master::message`.
 */

export function validateRegistration({
  slave,
  checkpointed_resources,
}: RegisterSlaveMessage): string | undefined {
  return validateAgentInfo(slave) ?? validateResources(checkpointed_resources);
}

function validateAgentInfo(info: AgentInfo | undefined): string | undefined {
  if (info?.hostname === undefined) return "AgentInfo has no hostname";
  const problem = info.id === undefined ? undefined : validateId(info.id.value ?? "");
  return problem ?? validateResources(info.resources);
}

/** @param valid infos that have been validated before: thousands of agents bring the same ones */
export function validateReregistration(
  message: ReregisterSlaveMessage,
  valid = new WeakSet<FrameworkInfo>(),
): string | undefined {
  const id = message.slave?.id?.value ?? "";
  return (
    validateRegistration(message) ??
    validateId(id) ??
    validateFrameworks(message, valid) ??
    validateExecutors(message) ??
    validateTasks(message, id)
  );
}

function validateFrameworks(
  { frameworks }: ReregisterSlaveMessage,
  valid: WeakSet<FrameworkInfo>,
): string | undefined {
  const seen = new Set<string>();
  for (const info of frameworks) {
    const problem = valid.has(info) ? undefined : validateFrameworkInfo(info);
    if (problem !== undefined) return problem;
    valid.add(info);
    const id = info.id?.value ?? "";
    if (id === "") return "Framework has no FrameworkID";
    if (seen.has(id)) return `Framework has a duplicate FrameworkID: '${id}'`;
    seen.add(id);
  }
  return undefined;
}

function validateExecutors({ executor_infos, frameworks }: ReregisterSlaveMessage): string | undefined {
  const frameworkIds = new Set(frameworks.map(({ id }) => id?.value));
  const seen = new Set<string>();
  for (const executor of executor_infos) {
    const problem = validateExecutorInfo(executor) ?? validateResources(executor.resources);
    if (problem !== undefined) return problem;
    const frameworkId = executor.framework_id?.value ?? "";
    const executorId = executor.executor_id?.value ?? "";
    if (!frameworkIds.has(frameworkId)) return `Executor has an invalid FrameworkID '${frameworkId}'`;
    const key = frameworkKey(frameworkId, executorId);
    if (seen.has(key)) return `Framework '${frameworkId}' has a duplicate ExecutorID '${executorId}'`;
    seen.add(key);
  }
  return undefined;
}

function validateTasks(message: ReregisterSlaveMessage, agentId: string): string | undefined {
  const frameworkIds = new Set(message.frameworks.map(({ id }) => id?.value));
  const executors = new Set(
    message.executor_infos.map(({ framework_id: framework, executor_id: executor }) =>
      frameworkKey(framework?.value, executor?.value),
    ),
  );
  const seen = new Set<string>();
  for (const task of message.tasks) {
    const taskId = task.task_id?.value ?? "";
    const problem = validateId(taskId);
    if (problem !== undefined) return `Task has an invalid TaskID: ${problem}`;
    if (task.agent_id?.value !== agentId)
      return `Task has an invalid SlaveID '${task.agent_id?.value ?? ""}'`;
    const frameworkId = task.framework_id?.value ?? "";
    if (!frameworkIds.has(frameworkId)) return `Task has an invalid FrameworkID '${frameworkId}'`;
    const executorId = task.executor_id?.value;
    // Executors of command tasks are internal to the agent and not listed.
    const listed = executorId === undefined || executors.has(frameworkKey(frameworkId, executorId));
    if (!listed && task.state === TaskState.TASK_RUNNING) {
      return `Task has an invalid ExecutorID '${executorId}'`;
    }
    const key = frameworkKey(frameworkId, taskId);
    if (seen.has(key)) return `Framework '${frameworkId}' has a duplicate TaskID '${taskId}'`;
    seen.add(key);
    const wrong = validateResources(task.resources);
    if (wrong !== undefined) return `Task uses invalid resources: ${wrong}`;
  }
  return undefined;
}
