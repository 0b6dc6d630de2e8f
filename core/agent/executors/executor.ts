import type { Event_Kill } from "../../../proto/gen/mesos/v1/executor/executor.js";
import {
  type ContainerID,
  type ContainerStatus,
  type ExecutorInfo,
  ExecutorInfo_Type,
  type Task,
  type TaskGroupInfo,
  type TaskInfo,
  type TaskState,
  type TaskStatus_Reason,
} from "../../../proto/gen/mesos/v1/mesos.js";
import type { AgentExecutorView } from "../../../sdk/contracts/agent-view.js";
import type { Timer } from "../../../sdk/contracts/clock.js";
import type { ContainerExit, Containerizer } from "../../../sdk/contracts/containerizer.js";
import type { ExecutorConnection } from "../../../sdk/contracts/executor-service.js";
import { Resources } from "../../../sdk/resources/index.js";
import { EXECUTOR_MESSAGES, EXECUTOR_UPDATES, MAX_COMPLETED_TASKS_PER_EXECUTOR } from "../constants.js";
import type { RunIds } from "../paths.js";
import type { CommandTask } from "../tasks/command-task.js";
import { Allowance } from "./allowance.js";
import { isProgram } from "./executor-programs.js";

/**
 * - `registering`: its container is starting, or it has not subscribed yet.
 * - `running`: it accepts tasks.
 * - `terminating`: it was asked to shut down, or is being destroyed.
 * - `terminated`: its container is gone; tasks may still wait for acknowledgements.
 */
export type ExecutorState = "registering" | "running" | "terminating" | "terminated";

/** How tasks end that are still running when their executor ends, unless the containerizer knows better. */
export interface Verdict {
  readonly state?: TaskState;
  readonly reason?: TaskStatus_Reason;
  readonly message: string;
}

export interface ExecutorOptions {
  readonly ids: RunIds;
  readonly info: ExecutorInfo;
  /** Its sandbox. */
  readonly directory: string;
  /** OS user; undefined: the agent's own. */
  readonly user: string | undefined;
  readonly checkpoint: boolean;
  /** Made up by the agent for a command task. */
  readonly generated: boolean;
}

/** One run of an executor, or of a command task in place of one. */
export class Executor implements AgentExecutorView {
  readonly id: string;
  readonly ids: RunIds;
  readonly info: ExecutorInfo;
  readonly containerId: ContainerID;
  readonly directory: string;
  readonly user: string | undefined;
  readonly checkpoint: boolean;
  readonly generated: boolean;

  state: ExecutorState = "registering";
  /** The containerizer that runs its container; undefined until one has accepted it. */
  containerizer: Containerizer | undefined;
  /** As the containerizer reported it when the container started. */
  containerStatus: ContainerStatus | undefined;
  /** Runs the task, if this is a command task. */
  command: CommandTask | undefined;
  connection: ExecutorConnection | undefined;
  /** Address of its driver, if it speaks libprocess. */
  driver: string | undefined;
  /** Updates that it sent and its scheduler has not acknowledged. */
  readonly updatesUnderWay = new Allowance(EXECUTOR_UPDATES);
  /** Messages to its scheduler that cannot be sent on yet. */
  readonly messagesUnderWay = new Allowance(EXECUTOR_MESSAGES);
  readonly timers = new Set<Timer>();
  verdict: Verdict | undefined;
  /** How it ended, if its container's main process does not tell. */
  exit: ContainerExit | undefined;
  /** Whether a task was ever delivered to it. */
  everSentTask = false;

  /** Not delivered yet. */
  readonly queued = new Map<string, TaskInfo>();
  /** Queued tasks whose records are still being written; they must not be delivered before. */
  readonly recording = new Set<string>();
  /** Tasks whose record could not be written. Nothing else is written about them: recovery could make no sense of it. */
  readonly unrecorded = new Set<string>();
  /** Task id -> the processing of its latest status update; never rejects. Keeps the updates of a task in order. */
  readonly held = new Map<string, Promise<void>>();
  /** Set while the records of its tasks are being written; nothing else is written about the tasks until that has succeeded or failed. */
  writing: Promise<void> | undefined;
  /**
   * Resolves when its own record is written; rejects if that failed, because nothing may then be written below it. Undefined: it is
   * written.
   */
  recorded: Promise<void> | undefined;
  /** Settles when the record of a kill before its start is written; its container is not destroyed before that. */
  killNoted: Promise<void> | undefined;
  /** Queued tasks that must be delivered together. */
  queuedGroups: TaskGroupInfo[] = [];
  /** Kills that could not be delivered because it was not connected. */
  readonly unsentKills = new Map<string, Event_Kill>();
  readonly launched = new Map<string, Task>();
  /** Tasks that have ended, but whose end is not acknowledged yet. */
  readonly terminated = new Map<string, Task>();
  /** Oldest first, bounded. */
  readonly completedTasks: Task[] = [];

  constructor(options: ExecutorOptions) {
    this.ids = options.ids;
    this.id = options.ids.executorId;
    this.info = options.info;
    this.containerId = { value: options.ids.containerId };
    this.directory = options.directory;
    this.user = options.user;
    this.checkpoint = options.checkpoint;
    this.generated = options.generated;
  }

  /** A pod: the agent runs its tasks without an executor process. */
  get isPod(): boolean {
    return this.info.type === ExecutorInfo_Type.DEFAULT && !isProgram(this.info.command);
  }

  /** A command task: the task is the container, without an executor process. */
  get isCommand(): boolean {
    return this.generated && !isProgram(this.info.command);
  }

  /** It accepts no more tasks. */
  get ending(): boolean {
    return this.state === "terminating" || this.state === "terminated";
  }

  get name(): string {
    return this.info.name ?? "";
  }

  get source(): string {
    return this.info.source ?? "";
  }

  get role(): string {
    return this.info.resources[0]?.allocation_info?.role ?? "";
  }

  /** Notes that records of its tasks are being written. */
  awaitRecord(record: Promise<void>): void {
    const writing = Promise.allSettled([this.writing, record]).then(() => {
      if (this.writing === writing) this.writing = undefined;
    });
    this.writing = writing;
  }

  /** Its own resources and those of its tasks that have not ended. */
  get resources(): Resources {
    return Resources.of(this.info.resources).add(this.taskResources);
  }

  /** Those of its tasks that have not ended. */
  get taskResources(): Resources {
    const tasks = [...this.queued.values(), ...this.launched.values()];
    return Resources.sum(tasks.map(({ resources }) => Resources.of(resources)));
  }

  get tasks(): Iterable<Task> {
    return this.launched.values();
  }

  get terminatedTasks(): Iterable<Task> {
    return this.terminated.values();
  }

  get queuedTasks(): Iterable<TaskInfo> {
    return this.queued.values();
  }

  has(taskId: string): boolean {
    return this.queued.has(taskId) || this.launched.has(taskId) || this.terminated.has(taskId);
  }

  /** True while a task has not ended, or its end is not acknowledged. */
  get incomplete(): boolean {
    return this.queued.size > 0 || this.launched.size > 0 || this.terminated.size > 0;
  }

  task(taskId: string): Task | undefined {
    return this.launched.get(taskId) ?? this.terminated.get(taskId);
  }

  /**
   * Removes a queued task and the rest of its group from the queue. Returns the ids of those tasks, or just of this one if it has no group.
   */
  dequeueGroup(taskId: string): string[] {
    const group = this.queuedGroups.find(({ tasks }) =>
      tasks.some(({ task_id }) => task_id?.value === taskId),
    );
    if (group === undefined) return [taskId];
    this.queuedGroups = this.queuedGroups.filter((one) => one !== group);
    return group.tasks.map(({ task_id }) => task_id!.value!);
  }

  complete(taskId: string): void {
    const task = this.terminated.get(taskId);
    if (task === undefined) return;
    this.terminated.delete(taskId);
    this.unrecorded.delete(taskId);
    this.completedTasks.push(task);
    if (this.completedTasks.length > MAX_COMPLETED_TASKS_PER_EXECUTOR) this.completedTasks.shift();
  }

  stopTimers(): void {
    for (const timer of this.timers) timer.cancel();
    this.timers.clear();
  }
}
