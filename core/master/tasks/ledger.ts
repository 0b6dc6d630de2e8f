import {
  TaskStatus_Reason as Reason,
  type Task,
  type TaskState,
  type TaskStatus,
} from "../../../proto/gen/mesos/v1/mesos.js";
import type { Allocator } from "../../../sdk/contracts/allocator.js";
import { Resources } from "../../../sdk/resources/index.js";
import { isTerminal } from "../../../sdk/task-states.js";
import type { Agent } from "../agents/agent.js";
import type { Cluster } from "../cluster.js";
import type { Framework } from "../frameworks/framework.js";
import { getOrAdd } from "../get-or-add.js";
import type { MasterMetrics } from "../metrics/metrics.js";
import type { Watchers } from "../watchers.js";
import type { ExecutorEntry } from "./executor.js";
import { type TaskEntry, withStatus } from "./task.js";

export interface TaskUpdate {
  readonly latest?: TaskState | undefined;
  readonly delivered?: boolean;
}

export interface LedgerDeps {
  readonly cluster: Cluster;
  readonly allocator: Allocator;
  readonly metrics: MasterMetrics;
  readonly watchers: Watchers;
  /** A task has left the agent. */
  readonly taskRemoved: (agent: Agent) => void;
}

/**
 * Accounts for who uses what: each task and executor belongs to its agent and, once that is known, to its framework. Resources go back to
 * the allocator when the end of a task is known, not when the scheduler acknowledges it.
 */
export class Ledger {
  /** The number of tasks on registered agents in each state. */
  private readonly states: number[] = [];

  constructor(private readonly deps: LedgerDeps) {}

  tasksIn(state: TaskState): number {
    return this.states[state] ?? 0;
  }

  addTask(task: TaskEntry, agent: Agent, framework: Framework | undefined): void {
    this.enter(getOrAdd(agent.taskEntries, task.frameworkId, newMap<TaskEntry>), task, framework);
    if (!task.holdsResources) return;
    agent.addUsed(task.frameworkId, task.resources);
    framework?.addUsed(agent.id, task.resources);
  }

  /** Adds all tasks of an agent that registers, summing up first what each framework uses there. */
  addTasks(tasks: readonly TaskEntry[], agent: Agent): void {
    const byFramework = new Map<string, TaskEntry[]>();
    for (const task of tasks) getOrAdd(byFramework, task.frameworkId, () => []).push(task);
    for (const [frameworkId, own] of byFramework) {
      const framework = this.deps.cluster.frameworks.get(frameworkId);
      const entries = getOrAdd(agent.taskEntries, frameworkId, newMap<TaskEntry>);
      for (const task of own) this.enter(entries, task, framework);
      const used = Resources.sum(own.filter((task) => task.holdsResources).map(({ resources }) => resources));
      if (used.isEmpty) continue;
      agent.addUsed(frameworkId, used);
      framework?.addUsed(agent.id, used);
    }
  }

  private enter(onAgent: Map<string, TaskEntry>, task: TaskEntry, framework: Framework | undefined): void {
    onAgent.set(task.id, task);
    this.count(task.state, 1);
    if (framework === undefined) return;
    framework.taskEntries.set(task.id, task);
    framework.metrics.enter(task.state);
    this.deps.watchers.taskAdded(task.message);
  }

  addExecutor(executor: ExecutorEntry, agent: Agent, framework: Framework | undefined): void {
    getOrAdd(agent.executorEntries, executor.frameworkId, newMap<ExecutorEntry>).set(executor.id, executor);
    agent.addUsed(executor.frameworkId, executor.resources);
    if (framework === undefined) return;
    getOrAdd(framework.executorEntries, agent.id, newMap<ExecutorEntry>).set(executor.id, executor);
    framework.addUsed(agent.id, executor.resources);
  }

  removeExecutor(executor: ExecutorEntry, agent: Agent): void {
    const { id, frameworkId, resources } = executor;
    deleteIn(agent.executorEntries, frameworkId, id);
    agent.subtractUsed(frameworkId, resources);
    const framework = this.deps.cluster.frameworks.get(frameworkId);
    if (framework !== undefined) {
      deleteIn(framework.executorEntries, agent.id, id);
      framework.subtractUsed(agent.id, resources);
    }
    if (!resources.isEmpty)
      this.deps.allocator.recover({ frameworkId, agentId: agent.id, resources, allocated: true });
  }

  /**
   * Adds a status to a task's history and updates its state.
   *
   * @param latest the agent's latest state, if the status itself is older
   * @param delivered the scheduler was sent the status and will acknowledge it
   */
  updateTask(task: TaskEntry, status: TaskStatus, { latest, delivered = false }: TaskUpdate = {}): void {
    const before = task.state;
    const held = task.holdsResources;
    const state = isTerminal(before) ? before : (latest ?? status.state ?? before);
    const news = isNews(task.message, status);
    const changes: Partial<Task> = { state, statuses: withStatus(task.message.statuses, status) };
    if (delivered) {
      changes.status_update_state = status.state;
      changes.status_update_uuid = status.uuid;
    }
    task.change(changes);

    const framework = this.deps.cluster.frameworks.get(task.frameworkId);
    const agent = this.deps.cluster.agents.get(task.agentId);
    if (state !== before) {
      framework?.metrics.leave(before);
      framework?.metrics.enter(state);
      if (agent?.task(task.frameworkId, task.id) === task) {
        this.count(before, -1);
        this.count(state, 1);
      }
    }
    if (news && framework !== undefined) this.deps.watchers.taskUpdated(task.message, status);
    if (!held || task.holdsResources) return;
    agent?.subtractUsed(task.frameworkId, task.resources);
    framework?.subtractUsed(task.agentId, task.resources);
    this.deps.metrics.countEnd(status);
    const { frameworkId, agentId, resources } = task;
    this.deps.allocator.recover({ frameworkId, agentId, resources, allocated: true });
  }

  /**
   * Removes a task from its agent and adds it to its framework's history.
   *
   * @param unreachable add it to the tasks that may come back
   */
  removeTask(task: TaskEntry, { unreachable = false }: { unreachable?: boolean } = {}): void {
    const { cluster, allocator } = this.deps;
    const { frameworkId, agentId, resources } = task;
    const agent = cluster.agents.get(agentId);
    const framework = cluster.frameworks.get(frameworkId);
    if (agent !== undefined && deleteIn(agent.taskEntries, frameworkId, task.id)) {
      this.count(task.state, -1);
      this.deps.taskRemoved(agent);
    }
    if (agent !== undefined) deleteFromSet(agent.killedTasks, frameworkId, task.id);
    framework?.taskEntries.delete(task.id);
    if (unreachable) {
      framework?.unreachable.set(task.id, task);
      const byFramework = getOrAdd(cluster.unreachableTasks, agentId, newMap<string[]>);
      getOrAdd(byFramework, frameworkId, () => []).push(task.id);
    } else {
      framework?.completed.add(task.message);
    }
    if (!task.holdsResources) return;
    agent?.subtractUsed(frameworkId, resources);
    framework?.subtractUsed(agentId, resources);
    allocator.recover({ frameworkId, agentId, resources, allocated: true });
  }

  private count(state: TaskState, by: number): void {
    this.states[state] = this.tasksIn(state) + by;
  }
}

/** False for a status that repeats the previous one. */
const isNews = ({ statuses }: Task, { state, reason }: TaskStatus): boolean =>
  statuses.at(-1)?.state !== state ||
  reason === Reason.REASON_TASK_CHECK_STATUS_UPDATED ||
  reason === Reason.REASON_TASK_HEALTH_CHECK_STATUS_UPDATED;

const newMap = <V>() => new Map<string, V>();

function deleteIn<V>(maps: Map<string, Map<string, V>>, key: string, id: string): boolean {
  const map = maps.get(key);
  if (map === undefined || !map.delete(id)) return false;
  if (map.size === 0) maps.delete(key);
  return true;
}

function deleteFromSet(sets: Map<string, Set<string>>, key: string, id: string): void {
  const set = sets.get(key);
  if (set?.delete(id) && set.size === 0) sets.delete(key);
}
