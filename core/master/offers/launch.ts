import {
  AgentInfo_Capability_Type as Capability,
  type ExecutorInfo,
  Offer_Operation_Type as OperationType,
  TaskStatus_Reason as Reason,
  type TaskInfo,
  TaskState,
} from "../../../proto/gen/mesos/v1/mesos.js";
import { convertResources, Resources } from "../../../sdk/resources/index.js";
import type { Agent } from "../agents/agent.js";
import type { MasterContext } from "../context.js";
import { update } from "../frameworks/events.js";
import type { Framework } from "../frameworks/framework.js";
import type { PreparedLaunch } from "../operations/operation.js";
import { ExecutorEntry } from "../tasks/executor.js";
import { masterStatus } from "../tasks/status.js";
import { stagingTask, TaskEntry } from "../tasks/task.js";
import { type GroupUse, validateGroup } from "../validation/group.js";
import { type LaunchTarget, type TaskUse, validateTask } from "../validation/task.js";

/** LAUNCH and LAUNCH_GROUP: validates tasks, accounts for them and sends them to their agent. */
export class Launches {
  constructor(private readonly context: MasterContext) {}

  /** Applies an operation. Returns the resources that it uses. */
  apply(operation: PreparedLaunch, target: LaunchTarget): Resources {
    if (operation.kind === "launch") return this.launchAll(operation.tasks, target);
    return this.launchGroup(operation.group, target);
  }

  /** Each task stands alone: an invalid one does not affect the others. */
  private launchAll(tasks: readonly TaskUse[], target: LaunchTarget): Resources {
    let total = Resources.empty;
    let { available } = target;
    for (const task of tasks) {
      const problem = validateTask(task, { ...target, available });
      if (problem !== undefined) {
        this.refuse(target.framework, [task], { reason: Reason.REASON_TASK_INVALID, message: problem });
        continue;
      }
      const used = this.launch(task, target);
      total = total.add(used);
      available = available.subtract(used.nonShared());
    }
    return total;
  }

  private launch(task: TaskUse, { framework, agent }: LaunchTarget): Resources {
    const { messages, logger } = this.context;
    const { info, resources, executorResources } = task;
    let used = resources;
    let launchExecutor = true;
    // The master does not see the executors that agents create for command tasks.
    if (info.executor !== undefined) {
      launchExecutor = this.addExecutor(info.executor, executorResources, { framework, agent });
      if (launchExecutor) used = used.add(executorResources);
    }
    this.addTask(task, framework, agent);
    framework.metrics.countOperation(OperationType.LAUNCH);
    if (logger.enabled("debug")) {
      logger.debug(
        { framework: framework.id, task: info.task_id?.value, agent: agent.id },
        "Launching a task",
      );
    }
    messages.runTask(agent, framework, { task: forAgent(info, agent), launchExecutor });
    return used;
  }

  /** Launches all tasks of a group, or none. */
  private launchGroup(group: GroupUse, target: LaunchTarget): Resources {
    const { framework, agent } = target;
    const problem = validateGroup(group, target);
    if (problem !== undefined) {
      this.refuse(framework, group.tasks, { reason: Reason.REASON_TASK_GROUP_INVALID, message: problem });
      return Resources.empty;
    }
    const launchExecutor = this.addExecutor(group.executor, group.executorResources, target);
    for (const task of group.tasks) this.addTask(task, framework, agent);
    framework.metrics.countOperation(OperationType.LAUNCH_GROUP);
    this.context.messages.runTaskGroup(agent, {
      framework: framework.info,
      executor: executorForAgent(group.executor, agent),
      task_group: { tasks: group.tasks.map(({ info }) => forAgent(info, agent)) },
      launch_executor: launchExecutor,
    });
    const used = group.tasks.map(({ resources }) => resources);
    return Resources.sum(launchExecutor ? [group.executorResources, ...used] : used);
  }

  /** Accounts for an executor unless it is already running there. */
  private addExecutor(
    info: ExecutorInfo,
    resources: Resources,
    { framework, agent }: Pick<LaunchTarget, "framework" | "agent">,
  ): boolean {
    if (agent.hasExecutor(framework.id, info.executor_id?.value ?? "")) return false;
    this.context.ledger.addExecutor(new ExecutorEntry(agent.id, info, resources), agent, framework);
    return true;
  }

  private addTask({ info, resources }: TaskUse, framework: Framework, agent: Agent): void {
    const task = new TaskEntry({ message: stagingTask(info, framework, agent), resources });
    this.context.ledger.addTask(task, agent, framework);
  }

  private refuse(
    framework: Framework,
    tasks: readonly TaskUse[],
    { reason, message }: { reason: Reason; message: string },
  ): void {
    const now = this.context.clock.now();
    for (const { info } of tasks) {
      const status = masterStatus({
        taskId: info.task_id,
        agentId: info.agent_id,
        state: TaskState.TASK_ERROR,
        reason,
        message,
        now,
      });
      this.context.metrics.countEnd(status);
      framework.send(update(status));
    }
  }
}

/** Agents without RESERVATION_REFINEMENT read resources in the old format. */
function forAgent(task: TaskInfo, agent: Agent): TaskInfo {
  if (agent.can(Capability.RESERVATION_REFINEMENT)) return task;
  const old: TaskInfo = { ...task, resources: convertResources(task.resources, "pre-refinement") };
  if (task.executor !== undefined) old.executor = executorForAgent(task.executor, agent);
  return old;
}

function executorForAgent(executor: ExecutorInfo, agent: Agent): ExecutorInfo {
  if (agent.can(Capability.RESERVATION_REFINEMENT)) return executor;
  return { ...executor, resources: convertResources(executor.resources, "pre-refinement") };
}
