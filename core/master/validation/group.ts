import {
  type ContainerInfo,
  ContainerInfo_Type as ContainerType,
  type ExecutorInfo,
  ExecutorInfo_Type as ExecutorType,
  HealthCheck_Type as HealthType,
} from "../../../proto/gen/mesos/v1/mesos.js";
import {
  haveOverlap,
  Resources,
  validateRevocableUse,
  validateUniquePersistenceIds,
} from "../../../sdk/resources/index.js";
import { MIN_EXECUTOR_CPUS, MIN_EXECUTOR_MEM } from "../constants.js";
import type { TaskEntry } from "../tasks/task.js";
import { sameExecutor, validateExecutorUse } from "./executor.js";
import { type LaunchTarget, type TaskUse, validateTaskFields } from "./task.js";

/** A task group that is to be launched: every task has the group's executor. */
export interface GroupUse {
  readonly executor: ExecutorInfo;
  readonly executorResources: Resources;
  readonly tasks: readonly TaskUse[];
}

/**
 * What is wrong with a LAUNCH_GROUP operation, in Mesos's words: one invalid task invalidates the group.
 * Source: src/master/validation.cpp, namespace `task::group`.
 */
export function validateGroup(group: GroupUse, target: LaunchTarget): string | undefined {
  const ids = new Set<string>();
  for (const task of group.tasks) {
    const id = task.info.task_id?.value ?? "";
    // Stricter than Mesos, which does not look for duplicates within the group.
    const duplicate = ids.has(id) ? `Task has duplicate ID: ${id}` : undefined;
    ids.add(id);
    const problem = duplicate ?? validateTaskFields(task, target) ?? validateGroupTask(task);
    if (problem !== undefined) return `Task '${id}' is invalid: ${problem}`;
  }
  return validateGroupExecutor(group, target) ?? validateShareCgroups(group, target);
}

function validateGroupTask({ info }: TaskUse): string | undefined {
  const { executor, container, health_check: healthCheck } = info;
  if (executor === undefined) return "'TaskInfo.executor' must be set";
  if (container !== undefined) {
    const networked = healthCheck?.type === HealthType.HTTP || healthCheck?.type === HealthType.TCP;
    if (container.network_infos.length > 0 && networked) {
      return "HTTP and TCP health checks are not supported for nested containers not joining parent's network";
    }
    if (container.type === ContainerType.DOCKER) return "Docker ContainerInfo is not supported on the task";
  }
  const ownCgroups = container?.linux_info !== undefined && !(container.linux_info.share_cgroups ?? true);
  return Object.keys(info.limits).length > 0 && !ownCgroups
    ? "Resource limits may only be set for tasks within a task group when the 'share_cgroups' field is set to 'false'."
    : undefined;
}

function validateGroupExecutor(group: GroupUse, target: LaunchTarget): string | undefined {
  const { executor, executorResources: resources } = group;
  const { framework, agent } = target;
  const problem = validateExecutorUse({ executor, resources, framework, agent });
  if (problem !== undefined) return problem;
  if (executor.type === undefined) return "'ExecutorInfo.type' must be set";
  if (executor.type === ExecutorType.UNKNOWN) return "Unknown executor type";
  if (executor.container?.type === ContainerType.DOCKER) {
    return "Docker ContainerInfo is not supported on the executor";
  }
  const id = executor.executor_id?.value ?? "";
  for (const { info } of group.tasks) {
    if (info.executor !== undefined && !sameExecutor(info.executor, executor)) {
      return `The \`ExecutorInfo\` of task '${info.task_id?.value ?? ""}' is different from executor '${id}'`;
    }
  }
  return validateMinimum(id, resources) ?? validateTogether(group) ?? validateAvailable(group, target);
}

function validateMinimum(id: string, resources: Resources): string | undefined {
  const names = resources.names();
  if (resources.cpus < MIN_EXECUTOR_CPUS) {
    const cpus = names.has("cpus") ? resources.cpus : "None";
    return `Executor '${id}' uses less CPUs (${cpus}) than the minimum required (${MIN_EXECUTOR_CPUS})`;
  }
  if (resources.mem < MIN_EXECUTOR_MEM) {
    const mem = names.has("mem") ? `${resources.mem}MB` : "None";
    return `Executor '${id}' uses less memory (${mem}) than the minimum required (${MIN_EXECUTOR_MEM}MB)`;
  }
  return names.has("disk") ? undefined : `Executor '${id}' uses no disk`;
}

function validateTogether({ executorResources, tasks }: GroupUse): string | undefined {
  const bundles = tasks.map(({ resources }) => resources);
  const total = Resources.sum([executorResources, ...bundles]);
  const ids = validateUniquePersistenceIds(total);
  if (ids !== undefined) return `Task group and executor use duplicate persistence ID: ${ids}`;
  const mix = validateRevocableUse(total);
  if (mix !== undefined) return `Task group and executor mix revocable and non-revocable resources: ${mix}`;
  return haveOverlap([...bundles, executorResources])
    ? `There are overlapping resources in the task group's task resources [ ${bundles.join(", ")} ] and/or executor resources ${executorResources}`
    : undefined;
}

function validateAvailable(
  group: GroupUse,
  { framework, agent, available }: LaunchTarget,
): string | undefined {
  let total = Resources.sum(group.tasks.map(({ resources }) => resources));
  if (!agent.hasExecutor(framework.id, group.executor.executor_id?.value ?? "")) {
    total = total.add(group.executorResources);
  }
  return available.contains(total)
    ? undefined
    : `Total resources ${total} required by task group and its executor are more than available ${available}`;
}

/** All tasks of one executor share its cgroups, or none does. */
function validateShareCgroups(
  { executor, tasks }: GroupUse,
  { framework, agent }: LaunchTarget,
): string | undefined {
  if (executor.container?.linux_info?.share_cgroups === true) {
    return "The 'share_cgroups' field cannot be set to 'true' on executor containers";
  }
  const choices = new Set(tasks.map(({ info }) => sharesCgroups(info.container)));
  const executorId = executor.executor_id?.value ?? "";
  if (framework.hasExecutor(agent.id, executorId)) {
    const sibling = (task: TaskEntry) => task.agentId === agent.id && task.executorId === executorId;
    for (const task of agent.taskEntries.get(framework.id)?.values() ?? []) {
      if (sibling(task)) choices.add(sharesCgroups(task.message.container));
    }
    for (const task of framework.unreachable.values()) {
      if (sibling(task)) choices.add(sharesCgroups(task.message.container));
    }
  }
  return choices.size > 1
    ? "If set, the value of 'share_cgroups' must be the same for all tasks in each task group and under a single executor"
    : undefined;
}

const sharesCgroups = (container: ContainerInfo | undefined): boolean =>
  container?.linux_info?.share_cgroups ?? true;
