import { TaskState } from "../../proto/gen/mesos/v1/mesos.js";
import type { Counter, Metrics } from "../../sdk/contracts/metrics.js";
import { fromMilli } from "../../sdk/resources/index.js";
import type { AgentState } from "./agent-state.js";
import type { ExecutorState } from "./executors/executor.js";

const RESOURCES = ["cpus", "gpus", "mem", "disk"] as const;

/** The counters of Mesos's agent, under their names there. */
export class AgentMetrics {
  readonly containerLaunchErrors: Counter;
  readonly executorsTerminated: Counter;
  readonly executorsPreempted: Counter;
  readonly validFrameworkMessages: Counter;
  readonly invalidFrameworkMessages: Counter;
  readonly validStatusUpdates: Counter;
  readonly invalidStatusUpdates: Counter;
  readonly recoveryErrors: Counter;
  private readonly ended: ReadonlyMap<TaskState, Counter>;

  constructor(private readonly metrics: Metrics) {
    const counter = (name: string): Counter => metrics.counter(`slave/${name}`);
    this.containerLaunchErrors = counter("container_launch_errors");
    this.executorsTerminated = counter("executors_terminated");
    this.executorsPreempted = counter("executors_preempted");
    this.validFrameworkMessages = counter("valid_framework_messages");
    this.invalidFrameworkMessages = counter("invalid_framework_messages");
    this.validStatusUpdates = counter("valid_status_updates");
    this.invalidStatusUpdates = counter("invalid_status_updates");
    this.recoveryErrors = counter("recovery_errors");
    this.ended = new Map([
      [TaskState.TASK_FINISHED, counter("tasks_finished")],
      [TaskState.TASK_FAILED, counter("tasks_failed")],
      [TaskState.TASK_KILLED, counter("tasks_killed")],
      [TaskState.TASK_LOST, counter("tasks_lost")],
      [TaskState.TASK_GONE, counter("tasks_gone")],
    ]);
  }

  /** @param seconds duration of the recovery */
  recovered(seconds: number): void {
    this.metrics.gauge("slave/recovery_time_secs", () => seconds);
  }

  taskEnded(state: TaskState | undefined): void {
    if (state !== undefined) this.ended.get(state)?.inc();
  }

  /** Publishes the figures that are read from the state on demand. */
  observe(options: {
    state: AgentState;
    registered: () => boolean;
    /** Seconds since the start. */
    uptime: () => number;
    /** Seconds. */
    maxSandboxAge: () => number;
  }): void {
    const { state } = options;
    const gauge = (name: string, read: () => number): void => this.metrics.gauge(`slave/${name}`, read);
    gauge("uptime_secs", options.uptime);
    gauge("registered", () => (options.registered() ? 1 : 0));
    gauge("executor_directory_max_allowed_age_secs", options.maxSandboxAge);
    gauge("frameworks_active", () => state.frameworks.size);
    gauge("tasks_staging", () => countTasks(state, TaskState.TASK_STAGING) + countQueued(state));
    gauge("tasks_starting", () => countTasks(state, TaskState.TASK_STARTING));
    gauge("tasks_running", () => countTasks(state, TaskState.TASK_RUNNING));
    gauge("tasks_killing", () => countTasks(state, TaskState.TASK_KILLING));
    for (const phase of ["registering", "running", "terminating"] satisfies ExecutorState[]) {
      gauge(`executors_${phase}`, () => countExecutors(state, phase));
    }
    for (const name of RESOURCES) {
      const used = (): number => usedOf(state, name, false);
      const total = (): number => state.total.nonRevocable().scalar(name);
      gauge(`${name}_total`, total);
      gauge(`${name}_used`, used);
      gauge(`${name}_percent`, () => share(used(), total()));
      const revocable = (): number => usedOf(state, name, true);
      const revocableTotal = (): number => state.oversubscribed?.scalar(name) ?? 0;
      gauge(`${name}_revocable_total`, revocableTotal);
      gauge(`${name}_revocable_used`, revocable);
      gauge(`${name}_revocable_percent`, () => share(revocable(), revocableTotal()));
    }
  }
}

const share = (used: number, total: number): number => (total > 0 ? used / total : 0);

function usedOf(state: AgentState, name: string, revocable: boolean): number {
  let milli = 0;
  for (const executor of state.executors()) {
    const { resources } = executor;
    milli += (revocable ? resources.revocable() : resources.nonRevocable()).milli(name);
  }
  return fromMilli(milli);
}

function countTasks(state: AgentState, taskState: TaskState): number {
  let count = 0;
  for (const executor of state.executors()) {
    for (const task of executor.launched.values()) if (task.state === taskState) count++;
  }
  return count;
}

function countQueued(state: AgentState): number {
  let count = 0;
  for (const executor of state.executors()) count += executor.queued.size;
  return count;
}

function countExecutors(state: AgentState, phase: ExecutorState): number {
  let count = 0;
  for (const executor of state.executors()) if (executor.state === phase) count++;
  return count;
}
