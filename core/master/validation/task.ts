import {
  AgentInfo_Capability_Type as Capability,
  ExecutorInfo_Type as ExecutorType,
  type TaskInfo,
} from "../../../proto/gen/mesos/v1/mesos.js";
import { validateId } from "../../../sdk/ids/index.js";
import {
  haveOverlap,
  type Resources,
  validateRevocableUse,
  validateUniquePersistenceIds,
} from "../../../sdk/resources/index.js";
import type { Agent } from "../agents/agent.js";
import type { Framework } from "../frameworks/framework.js";
import { validateCheck, validateHealthCheck } from "./check.js";
import { validateExecutorUse } from "./executor.js";
import { validateRun, validateUse } from "./use.js";

/** A task whose resources have been read: allocated, in the post-refinement format. */
export interface TaskUse {
  readonly info: TaskInfo;
  readonly resources: Resources;
  /** Those of `info.executor`; empty without one. */
  readonly executorResources: Resources;
}

export interface LaunchTarget {
  readonly framework: Framework;
  readonly agent: Agent;
  /** What is left of the offers. */
  readonly available: Resources;
}

/**
 * What is wrong with a task of a LAUNCH operation, in Mesos's words and order.
 * Source: src/master/validation.cpp, namespace `task`.
 */
export function validateTask(task: TaskUse, target: LaunchTarget): string | undefined {
  return validateTaskFields(task, target) ?? validateTaskExecutor(task, target) ?? validateCgroups(task.info);
}

/** The rules for single fields, shared with tasks of groups. */
export function validateTaskFields(task: TaskUse, target: LaunchTarget): string | undefined {
  const { info } = task;
  return (
    validateId(info.task_id?.value ?? "") ??
    validateUniqueId(info, target) ??
    validateAgentId(info, target) ??
    validateTimes(info) ??
    validateChecks(info) ??
    validateTaskResources(task) ??
    validateRun("Task", info) ??
    validateLimits(task, target)
  );
}

function validateUniqueId({ task_id: taskId }: TaskInfo, { framework }: LaunchTarget): string | undefined {
  const id = taskId?.value ?? "";
  if (framework.taskEntries.has(id)) return `Task has duplicate ID: ${id}`;
  return framework.unreachable.has(id) ? `Task reuses the ID of an unreachable task: ${id}` : undefined;
}

function validateAgentId({ agent_id: agentId }: TaskInfo, { agent }: LaunchTarget): string | undefined {
  const id = agentId?.value ?? "";
  return id === agent.id ? undefined : `Task uses invalid agent ${id} while agent ${agent.id} is expected`;
}

function validateTimes({ kill_policy: policy, max_completion_time: limit }: TaskInfo): string | undefined {
  if ((policy?.grace_period?.nanoseconds ?? 0n) < 0n) {
    return "Task's 'kill_policy.grace_period' must be non-negative";
  }
  return (limit?.nanoseconds ?? 0n) < 0n ? "Task's `max_completion_time` must be non-negative" : undefined;
}

function validateChecks({ check, health_check: healthCheck }: TaskInfo): string | undefined {
  const wrongCheck = check === undefined ? undefined : validateCheck(check);
  if (wrongCheck !== undefined) return `Task uses invalid check: ${wrongCheck}`;
  const wrongHealth = healthCheck === undefined ? undefined : validateHealthCheck(healthCheck);
  return wrongHealth === undefined ? undefined : `Task uses invalid health check: ${wrongHealth}`;
}

function validateTaskResources({ info, resources }: TaskUse): string | undefined {
  return info.resources.length === 0
    ? "Task uses no resources"
    : validateUse("Task", info.resources, resources);
}

function validateLimits(
  { info: { limits }, resources }: TaskUse,
  { agent }: LaunchTarget,
): string | undefined {
  const names = Object.keys(limits);
  if (names.length === 0) return undefined;
  if (!agent.can(Capability.TASK_RESOURCE_LIMITS)) {
    return "Agent is not capable of handling task resource limits";
  }
  if (names.some((name) => name !== "cpus" && name !== "mem")) {
    return "Only cpus and mem may be included in a task's resource limits";
  }
  const { cpus, mem } = limits;
  const requested = resources.names();
  if (cpus !== undefined) {
    if (!requested.has("cpus")) return "When a CPU limit is specified, a CPU request must also be specified";
    // NaN is not a limit, and compares to nothing.
    if (!((cpus.value ?? 0) >= resources.cpus)) {
      return "The cpu limit must be greater than or equal to the cpu request";
    }
  }
  if (mem !== undefined) {
    if (!requested.has("mem")) {
      return "When a memory limit is specified, a memory request must also be specified";
    }
    if (!((mem.value ?? 0) >= resources.mem)) {
      return "The memory limit must be greater than or equal to the memory request";
    }
  }
  return undefined;
}

function validateTaskExecutor(
  task: TaskUse,
  { framework, agent, available }: LaunchTarget,
): string | undefined {
  const { executor, command } = task.info;
  if ((executor === undefined) === (command === undefined)) {
    return "Task should have at least one (but not both) of CommandInfo or ExecutorInfo present";
  }
  let total = task.resources;
  if (executor !== undefined) {
    const problem =
      validateExecutorUse({ executor, resources: task.executorResources, framework, agent }) ??
      validateCustomExecutor(task);
    if (problem !== undefined) return problem;
    const mix = validateTogether(task);
    if (mix !== undefined) return mix;
    // A running executor already has its resources.
    if (!agent.hasExecutor(framework.id, executor.executor_id?.value ?? "")) {
      total = total.add(task.executorResources);
    }
  }
  if (available.contains(total)) return undefined;
  return `Total resources ${total} required by task and its executor is more than available ${available}`;
}

/** LAUNCH runs executors that the framework provides; the built-in one is for groups. */
function validateCustomExecutor({ info: { executor }, executorResources }: TaskUse): string | undefined {
  if (executor?.type !== undefined && executor.type !== ExecutorType.CUSTOM)
    return "'ExecutorInfo.type' must be 'CUSTOM'";
  if (executor?.command === undefined) return "'ExecutorInfo.command' must be set";
  if (!executorResources.shared().isEmpty) {
    return `Executor resources ${executorResources} should not contain any shared resources`;
  }
  return executor.container?.linux_info?.share_cgroups === true
    ? "The 'share_cgroups' field cannot be set to 'true' on executor containers"
    : undefined;
}

function validateTogether({ resources, executorResources }: TaskUse): string | undefined {
  if (haveOverlap([resources, executorResources])) {
    return `There are overlapping resources in the task resources ${resources} and executor resources ${executorResources}`;
  }
  const total = resources.add(executorResources);
  const ids = validateUniquePersistenceIds(total);
  if (ids !== undefined) return `Task and its executor use duplicate persistence ID: ${ids}`;
  const mix = validateRevocableUse(total);
  return mix === undefined
    ? undefined
    : `Task and its executor mix revocable and non-revocable resources: ${mix}`;
}

function validateCgroups({ container }: TaskInfo): string | undefined {
  return container?.linux_info?.share_cgroups === false
    ? "Only tasks in a task group may have 'share_cgroups' set to 'false'"
    : undefined;
}
