import {
  ContainerInfo_Type,
  ExecutorInfo_Type,
  TaskStatus_Reason as Reason,
  type Resource,
  type TaskInfo,
  TaskState,
} from "../../../proto/gen/mesos/v1/mesos.js";
import type { Containerizer, TaskFeature } from "../../../sdk/contracts/containerizer.js";
import { needsCheckpoint, Resources, validateGpus } from "../../../sdk/resources/index.js";
import type { TaskChecks } from "../checks/task-checks.js";
import { secretVariables } from "../executors/executor-environment.js";
import type { Framework } from "../framework.js";

/** Why a task can never run here. */
export interface Refusal {
  readonly state: TaskState;
  readonly reason: Reason;
  readonly message: string;
}

/** The state of a task that was never started: TASK_LOST for frameworks that do not know TASK_DROPPED. */
export const dropped = (framework: Framework): TaskState =>
  framework.partitionAware ? TaskState.TASK_DROPPED : TaskState.TASK_LOST;

/** The agent is draining. */
export const drainingRefusal = (framework: Framework): Refusal => ({
  state: dropped(framework),
  reason: Reason.REASON_AGENT_DRAINING,
  message: "Task was received while agent was already draining",
});

/** What a task asks for that this agent does not have. To run it without would be less than it asked for. */
export function refusalOf(
  task: TaskInfo,
  framework: Framework,
  { containerizers, checks }: { containerizers: readonly Containerizer[]; checks: TaskChecks },
): Refusal | undefined {
  const container = task.executor === undefined ? task.container : task.executor.container;
  const supported = (feature: TaskFeature): boolean =>
    containerizers.some((containerizer) => containerizer.supports?.(feature, container) === true);
  // The Docker containerizer always has limits.
  if (task.container?.type !== ContainerInfo_Type.DOCKER) {
    for (const { limit, feature, message } of LIMITS) {
      if (task.limits[limit] === undefined || supported(feature)) continue;
      return { state: dropped(framework), reason: Reason.REASON_TASK_INVALID, message };
    }
  }
  // Custom executors perform checks themselves.
  if (task.executor === undefined || task.executor.type === ExecutorInfo_Type.DEFAULT) {
    const unchecked = checks.problem(task);
    if (unchecked !== undefined) return invalid(unchecked);
  }
  const secrets = secretVariables((task.executor ?? task).command);
  if (secrets.length > 0 && !supported("secret-environment")) {
    return invalid(
      `Environment variables of type SECRET (${secrets.join(", ")}) need an agent with the 'environment_secret' isolator`,
    );
  }
  const problem = gpuProblem([...task.resources, ...(task.executor?.resources ?? [])]);
  return problem === undefined ? undefined : invalid(problem);
}

/** Few tasks use GPUs. */
const gpuProblem = (resources: readonly Resource[]): string | undefined =>
  resources.some(({ name }) => name === "gpus") ? validateGpus(Resources.of(resources)) : undefined;

const LIMITS = [
  {
    limit: "cpus",
    feature: "cpus-limit",
    message:
      "CPU limits can only be set on tasks launched in Mesos containers when the agent has loaded the 'cgroups/cpu' isolator",
  },
  {
    limit: "mem",
    feature: "mem-limit",
    message:
      "Memory limits can only be set on tasks launched in Mesos containers when the agent has loaded the 'cgroups/mem' isolator",
  },
] as const;

const invalid = (message: string): Refusal => ({
  state: TaskState.TASK_ERROR,
  reason: Reason.REASON_TASK_INVALID,
  message,
});

/** Reservations and volumes that the task uses and the agent does not have: the master's view is out of date. */
export function usesUnknown(resources: readonly Resource[], checkpointed: Resources): boolean {
  const used = Resources.of(resources).unallocate().filter(needsCheckpoint);
  return !used.isEmpty && !checkpointed.contains(used);
}
