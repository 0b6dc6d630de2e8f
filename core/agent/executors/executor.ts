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
 * - `registering`: its container is being started, or it has not subscribed yet.
 * - `running`: takes tasks.
 * - `terminating`: asked to end, or being ended.
 * - `terminated`: its container is gone; tasks may still wait for acknowledgements.
 */
export type ExecutorState = "registering" | "running" | "terminating" | "terminated";

/** What tasks are told that end because their executor does, where the containerizer knows no better. */
export interface Verdict {
  readonly state?: TaskState;
  readonly reason?: TaskStatus_Reason;
  readonly message: string;
}

export interface ExecutorOptions {
  readonly ids: RunIds;
  readonly info: ExecutorInfo;
  /** Sandbox. */
  readonly directory: string;
  /** OS user; undefined: the agent's own. */
  readonly user: string | undefined;
  readonly checkpoint: boolean;
  /** Made up by the agent for a command task. */
  readonly generated: boolean;
}

/** One executor, or one command task in place of one, in one run of its container. */
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
  /** Who runs its container; undefined until one took it. */
  containerizer: Containerizer | undefined;
  /** As the containerizer told it when the container ran. */
  containerStatus: ContainerStatus | undefined;
  /** Runs the task of a command task. */
  command: CommandTask | undefined;
  connection: ExecutorConnection | undefined;
  /** Address of its driver, where it speaks libprocess. */
  driver: string | undefined;
  /** What it reported and its scheduler did not acknowledge. */
  readonly updatesUnderWay = new Allowance(EXECUTOR_UPDATES);
  /** What it told its scheduler while the way there is blocked. */
  readonly messagesUnderWay = new Allowance(EXECUTOR_MESSAGES);
  readonly timers = new Set<Timer>();
  verdict: Verdict | undefined;
  /** How it ended, where its container's main process does not tell. */
  exit: ContainerExit | undefined;
  /** Whether a task ever reached it. */
  everSentTask = false;

  /** Not given to it yet. */
  readonly queued = new Map<string, TaskInfo>();
  /** Of the queued ones, those that are just being written down, and may not be given to it before. */
  readonly recording = new Set<string>();
  /** Tasks that could not be written down. Nothing else is written of them: the agent could not make sense of it later. */
  readonly unrecorded = new Set<string>();
  /** Of its tasks, the latest status that is not passed on yet: resolves when it is, and never rejects. They keep their order. */
  readonly held = new Map<string, Promise<void>>();
  /** While what it is to run is being written down: until that has ended, well or not, nothing is written of its tasks. */
  writing: Promise<void> | undefined;
  /** Resolves when it is written down itself; rejects where it could not be: nothing may be written below it then. Undefined: it is. */
  recorded: Promise<void> | undefined;
  /** Settles when it is written down that its task was killed before that ran: until then its container is not ended. */
  killNoted: Promise<void> | undefined;
  /** Of the queued ones, those that are to be given to it together. */
  queuedGroups: TaskGroupInfo[] = [];
  /** Kills that it could not be told of, as it was not connected. */
  readonly unsentKills = new Map<string, Event_Kill>();
  readonly launched = new Map<string, Task>();
  /** Ended; the end is not acknowledged yet. */
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

  /** Its tasks run as a pod, of which the agent takes care by itself. */
  get isPod(): boolean {
    return this.info.type === ExecutorInfo_Type.DEFAULT && !isProgram(this.info.command);
  }

  /** Its task is its container, of which the agent takes care by itself. */
  get isCommand(): boolean {
    return this.generated && !isProgram(this.info.command);
  }

  /** It takes no tasks any more. */
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

  /** It has something to run, which is being written down. */
  awaitRecord(record: Promise<void>): void {
    const writing = Promise.allSettled([this.writing, record]).then(() => {
      if (this.writing === writing) this.writing = undefined;
    });
    this.writing = writing;
  }

  /** Its own and those of its tasks that are not over. */
  get resources(): Resources {
    return Resources.of(this.info.resources).add(this.taskResources);
  }

  /** Of its tasks that are not over. */
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

  /** True while a task is not over, or its end is not acknowledged. */
  get incomplete(): boolean {
    return this.queued.size > 0 || this.launched.size > 0 || this.terminated.size > 0;
  }

  task(taskId: string): Task | undefined {
    return this.launched.get(taskId) ?? this.terminated.get(taskId);
  }

  /** Takes the group of a queued task out of the queue; the ids of its tasks, or of the one task where it is in no group. */
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
