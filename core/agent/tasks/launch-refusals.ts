import type { RunTaskMessage } from "../../../proto/gen/mesos/internal/messages.js";
import {
  type ExecutorInfo,
  TaskStatus_Reason as Reason,
  type TaskGroupInfo,
  type TaskInfo,
} from "../../../proto/gen/mesos/v1/mesos.js";
import type { Containerizer } from "../../../sdk/contracts/containerizer.js";
import type { AgentState } from "../agent-state.js";
import type { TaskChecks } from "../checks/task-checks.js";
import type { Executor } from "../executors/executor.js";
import type { Executors } from "../executors/executors.js";
import type { Framework } from "../framework.js";
import type { ResourceVersion } from "../link/resource-version.js";
import { drainingRefusal, dropped, type Refusal, refusalOf, usesUnknown } from "./task-refusal.js";

/** A request to run tasks. */
export interface Launch {
  readonly framework: Framework;
  /** Either all with the same custom executor, or a single one without. */
  readonly tasks: readonly TaskInfo[];
  readonly executorInfo: ExecutorInfo;
  /** The tasks again, if they must be delivered together. */
  readonly group: TaskGroupInfo | undefined;
}

/** What the master assumes about the agent. */
export type LaunchTerms = Pick<RunTaskMessage, "launch_executor" | "resource_version_uuids">;

export interface LaunchRefusalsOptions {
  readonly state: AgentState;
  readonly resourceVersion: Pick<ResourceVersion, "is">;
  readonly containerizers: readonly Containerizer[];
  readonly checks: TaskChecks;
  readonly executors: Executors;
}

/** Why tasks cannot run now: the agent lacks what they ask for, or the master's view of the agent is out of date. */
export class LaunchRefusals {
  constructor(private readonly options: LaunchRefusalsOptions) {}

  /** @param existing the tasks' executor, if it exists already */
  of(launch: Launch, terms: LaunchTerms, existing: Executor | undefined): Refusal | undefined {
    const { framework, tasks } = launch;
    const { state, containerizers, checks } = this.options;
    const custom = tasks[0]!.executor !== undefined;
    return (
      (state.draining === undefined ? undefined : drainingRefusal(framework)) ??
      tasks
        .map((task) => refusalOf(task, framework, { containerizers, checks }))
        .find((one) => one !== undefined) ??
      this.ofVersion(framework, terms.resource_version_uuids) ??
      this.ofResources(launch) ??
      this.ofExecutor(framework, { custom, existing, launchExecutor: terms.launch_executor })
    );
  }

  /** The master goes by an older report, and may have given the tasks resources that others use. */
  private ofVersion(
    framework: Framework,
    versions: RunTaskMessage["resource_version_uuids"],
  ): Refusal | undefined {
    const ours = versions.find(({ resource_provider_id: provider }) => provider === undefined)?.uuid?.value;
    if (ours === undefined || this.options.resourceVersion.is(ours)) return undefined;
    return {
      state: dropped(framework),
      reason: Reason.REASON_INVALID_OFFERS,
      message: "Task assumes outdated resource state",
    };
  }

  /** Resources that the tasks should use do not exist. */
  ofResources({ framework, tasks, executorInfo: executor }: Launch): Refusal | undefined {
    const { checkpointed } = this.options.state;
    const unknown = tasks.some(({ resources }) => usesUnknown(resources, checkpointed))
      ? "task or task group"
      : usesUnknown(executor.resources, checkpointed)
        ? "executor"
        : undefined;
    if (unknown === undefined) return undefined;
    return {
      state: dropped(framework),
      reason: Reason.REASON_RESOURCES_UNKNOWN,
      message: `The checkpointed resources being used by the ${unknown} are unknown to the agent`,
    };
  }

  /** The master says whether it expects a new executor. If that does not match, master or agent is out of date. */
  private ofExecutor(
    framework: Framework,
    of: { custom: boolean; existing: Executor | undefined; launchExecutor: boolean | undefined },
  ): Refusal | undefined {
    const { existing, launchExecutor } = of;
    const state = dropped(framework);
    const reason = Reason.REASON_EXECUTOR_TERMINATED;
    if (!of.custom) {
      if (existing === undefined) return undefined;
      const message = "Cannot reuse an already existing executor for a command task";
      return { state, reason: Reason.REASON_TASK_INVALID, message };
    }
    if (existing === undefined) {
      if (launchExecutor !== false) return undefined;
      return { state, reason, message: "No executor is expected to launch and there is none running" };
    }
    if (launchExecutor === true) {
      this.options.executors.shutdown(existing);
      return { state, reason, message: "Master wants to launch executor, but one already exists" };
    }
    if (existing.ending) {
      return { state, reason, message: `Executor ${existing.state}` };
    }
    return undefined;
  }
}
