import {
  type ContainerID,
  TaskStatus_Reason as Reason,
  type TaskGroupInfo,
  type TaskInfo,
  TaskState,
  type TaskStatus,
} from "../../../proto/gen/mesos/v1/mesos.js";
import type { Timer } from "../../../sdk/contracts/clock.js";
import type { ContainerTermination } from "../../../sdk/contracts/containerizer.js";
import { isTepuiError, messageOf } from "../../../sdk/errors/index.js";
import { isTerminal } from "../../../sdk/task-states.js";
import { failedTooOften } from "../checks/health.js";
import { killGracePeriod } from "../executors/command-executor-info.js";
import { limitCompletion } from "../tasks/completion-limit.js";
import { Ending } from "../tasks/ending.js";
import { graceLeft } from "../tasks/kill-record.js";
import type { DefaultExecutorHost, EarlierTask } from "./default-executor-host.js";
import { endOfTask } from "./end-of-task.js";
import { PodStatuses } from "./pod-statuses.js";
import { containerOf, type PodGroup, PodTask } from "./pod-task.js";
import { taskContainer } from "./task-container.js";

/** How long the pod waits at its end for missing acknowledgements, in milliseconds. */
const LAST_WORDS_MS = 60_000;

/**
 * Mesos's default executor for task groups, without a process: each task is a container nested in the pod's. Tasks of a group are launched
 * together, and when one of them fails or is killed, so are the others.
 */
export class DefaultExecutor {
  private readonly tasks = new Map<string, PodTask>();
  /** By uuid: what to continue with when the agent has stored the status. */
  private readonly unacknowledged = new Map<string, () => void>();
  private shuttingDown = false;
  private leaving = false;
  /** A task failed its health checks; every terminal status says so from then on. */
  private unhealthy = false;
  private stopped = false;
  private lastWords: Timer | undefined;

  private readonly statuses: PodStatuses;

  constructor(private readonly host: DefaultExecutorHost) {
    this.statuses = new PodStatuses(host);
  }

  /** The tasks that have not ended. */
  get active(): readonly TaskInfo[] {
    return [...this.tasks.values()].map(({ info }) => info);
  }

  launchGroup({ tasks }: TaskGroupInfo): void {
    this.lastWords?.cancel();
    this.lastWords = undefined;
    // As in Mesos: these tasks end with the pod.
    if (this.shuttingDown) return;
    const group: PodGroup = { taskIds: tasks.map(({ task_id }) => task_id!.value!), ending: false };
    const added = tasks.map((info) => this.add(info, group, this.newContainerId()));
    // The records are written before anything runs: a later run of the agent finds the containers by them.
    const reported = added.map((task) => this.report(task, this.statuses.of(task, TaskState.TASK_STARTING)));
    void Promise.all(reported).then(() => this.start(added));
  }

  /** Resumes a group that an earlier run of the agent launched. Tasks that have ended matter too, because they decide about the others. */
  resumeGroup(earlier: readonly EarlierTask[]): void {
    if (earlier.every(({ statuses }) => statuses.length === 0)) {
      this.launchGroup({ tasks: earlier.map(({ info }) => info) });
      return;
    }
    const group: PodGroup = { taskIds: earlier.map(({ info }) => info.task_id!.value!), ending: false };
    this.unhealthy ||= earlier.some(({ info, statuses }) => failedTooOften(info, statuses));
    for (const one of earlier) {
      const { info, statuses } = one;
      const last = statuses.at(-1);
      if (isTerminal(last?.state)) {
        group.ending ||= last?.state !== TaskState.TASK_FINISHED;
        continue;
      }
      const task = this.add(info, group, containerOf(statuses) ?? this.newContainerId());
      task.status = last;
      this.resume(task, one);
    }
    if (group.ending) this.endGroup(group);
  }

  /** All groups of an earlier run have been resumed. */
  resumed(): void {
    this.leaveIfDone();
  }

  kill(taskId: string, policy: TaskInfo["kill_policy"]): void {
    const task = this.tasks.get(taskId);
    if (task === undefined || this.shuttingDown) return;
    this.killTask(task, killGracePeriod([policy, task.info.kill_policy]));
  }

  shutdown(): void {
    if (this.shuttingDown) return;
    this.shuttingDown = true;
    for (const task of [...this.tasks.values()]) this.killTask(task, killGracePeriod([]));
    this.leaveIfDone();
  }

  acknowledged(uuid: Buffer): void {
    const key = uuid.toString("hex");
    const goOn = this.unacknowledged.get(key);
    this.unacknowledged.delete(key);
    goOn?.();
    this.leaveIfDone();
  }

  /** Reports and does nothing more. */
  stop(): void {
    this.stopped = true;
    this.lastWords?.cancel();
    for (const task of this.tasks.values()) task.stop();
  }

  private add(info: TaskInfo, group: PodGroup, containerId: ContainerID): PodTask {
    const task = new PodTask(info, group, containerId);
    this.tasks.set(task.id, task);
    return task;
  }

  private newContainerId(): ContainerID {
    return { value: this.host.random.uuid(), parent: this.host.containerId };
  }

  private resume(task: PodTask, { statuses, kill }: EarlierTask): void {
    const running = statuses.find(({ state }) => state === TaskState.TASK_RUNNING);
    // A task that is killed while its container starts is reported as running afterwards, as by Mesos's executor.
    const killingReported = statuses.some(({ state }) => state === TaskState.TASK_KILLING);
    const killing = killingReported || kill !== undefined;
    if (!killing && running === undefined && !this.host.knows(task.containerId)) {
      // The agent may have died between the first statuses of two tasks of a group.
      const reported =
        statuses.length > 0 ? undefined : this.report(task, this.statuses.of(task, TaskState.TASK_STARTING));
      void Promise.resolve(reported).then(() => this.start([task]));
      return;
    }
    task.launched = this.host.knows(task.containerId);
    task.overtime = kill?.cause === "overtime";
    if (killing) {
      const wished = killGracePeriod([task.info.kill_policy]);
      this.killTask(task, kill === undefined ? wished : graceLeft(kill, wished, this.host.clock.now()), {
        reported: killingReported || task.overtime,
        asked: kill?.deadline !== undefined,
      });
    } else if (running === undefined) this.begin(task);
    else this.watch(task, Math.max(0, this.host.clock.now() - running.timestamp! * 1000), statuses);
    this.follow(task);
  }

  private async start(tasks: readonly PodTask[]): Promise<void> {
    await Promise.all(tasks.map((task) => this.launch(task)));
    if (this.stopped) return;
    for (const task of tasks) {
      if (!task.launched) continue;
      this.begin(task);
      // A kill may have been requested before there was anything to kill.
      void task.ending?.ask();
    }
    for (const task of tasks) this.follow(task);
  }

  /** Its container runs, and nobody knows yet. */
  private begin(task: PodTask): void {
    this.host.sandboxMade(task.id, task.containerId);
    void this.report(task, this.statuses.of(task, TaskState.TASK_RUNNING));
    this.watch(task, 0, []);
  }

  private async launch(task: PodTask): Promise<void> {
    if (this.stopped || task.ending !== undefined) return;
    try {
      await this.host.launch(taskContainer(task.info, task.containerId, this.host.ip));
      task.launched = true;
    } catch (error) {
      task.launchError = messageOf(error);
    }
  }

  private follow(task: PodTask): void {
    if (!task.launched) {
      this.ended(task, undefined);
      return;
    }
    this.host.wait(task.containerId).then(
      (termination) => this.ended(task, termination),
      () => this.ended(task, undefined),
    );
  }

  /**
   * @param age how long it has been running, in milliseconds
   * @param reported its statuses from earlier runs of the agent
   */
  private watch(task: PodTask, age: number, reported: readonly TaskStatus[]): void {
    const { clock } = this.host;
    const expired = (): void => {
      task.overtime = true;
      this.killTask(task, 0);
    };
    task.completion = limitCompletion(clock, task.info, { age, expired });
    if (task.ending !== undefined) return;
    if (failedTooOften(task.info, reported)) {
      this.kill(task.id, undefined);
      return;
    }
    const { info, containerId } = task;
    task.checks = this.host.check(
      { info, containerId, age, reported },
      {
        checked: (status) =>
          this.checked(task, { check_status: status }, Reason.REASON_TASK_CHECK_STATUS_UPDATED),
        health: (healthy, kill) => {
          this.checked(task, { healthy }, Reason.REASON_TASK_HEALTH_CHECK_STATUS_UPDATED);
          if (!kill) return;
          this.unhealthy = true;
          this.kill(task.id, undefined);
        },
      },
    );
  }

  /** Repeats the last status, with the result of a check. */
  private checked(task: PodTask, found: Pick<TaskStatus, "healthy" | "check_status">, reason: Reason): void {
    if (task.checks === undefined || task.status === undefined) return;
    void this.report(task, { ...task.status, ...this.statuses.origin(), ...found, reason });
  }

  /** @param grace milliseconds between SIGTERM and SIGKILL */
  private killTask(task: PodTask, grace: number, { reported = task.overtime, asked = false } = {}): void {
    if (task.ending !== undefined) return;
    task.stopWatching();
    const cause = task.overtime ? "overtime" : this.unhealthy ? "unhealthy" : "killed";
    task.ending = new Ending(
      { cause, grace, asked },
      {
        clock: this.host.clock,
        note: (kill) => this.host.noteKill(task.id, kill),
        signal: (signal) => this.signal(task, signal),
      },
    );
    if (!reported && this.host.reportsKilling && task.status !== undefined)
      void this.report(task, this.statuses.of(task, TaskState.TASK_KILLING));
    if (task.launched) void task.ending.ask();
  }

  /** Resolves to whether the signal was sent. */
  private async signal(task: PodTask, signal: number): Promise<boolean> {
    try {
      await this.host.kill(task.containerId, signal);
      return true;
    } catch (error) {
      // If it has ended, that is reported by its exit.
      if (!isUnknown(error))
        this.host.logger.warn({ err: error, task: task.id }, "a task of a pod could not be signalled");
      return false;
    }
  }

  private ended(task: PodTask, termination: ContainerTermination | undefined): void {
    if (this.stopped || this.tasks.get(task.id) !== task) return;
    task.stop();
    const { state, ...rest } = endOfTask(task, termination);
    const status = { ...this.statuses.of(task, state), ...rest, ...(this.unhealthy && { healthy: false }) };
    void this.report(task, status);
    this.tasks.delete(task.id);
    const failed = state === TaskState.TASK_FAILED || state === TaskState.TASK_KILLED;
    if (failed && !this.shuttingDown && !task.group.ending) this.endGroup(task.group);
    this.leaveIfDone();
  }

  /** One task of the group failed or was killed: kills the others. */
  private endGroup(group: PodGroup): void {
    group.ending = true;
    for (const id of group.taskIds) {
      const task = this.tasks.get(id);
      if (task !== undefined) this.killTask(task, killGracePeriod([]));
    }
  }

  private leaveIfDone(): void {
    if (this.stopped || this.leaving || this.tasks.size > 0) return;
    if (this.unacknowledged.size === 0) this.leave();
    else this.lastWords ??= this.host.clock.setTimeout(() => this.leave(), LAST_WORDS_MS);
  }

  private leave(): void {
    if (this.stopped || this.leaving || this.tasks.size > 0) return;
    this.leaving = this.host.exit();
  }

  /** Resolves when the agent has stored the status. */
  private report(task: PodTask, status: TaskStatus): Promise<void> {
    task.status = status;
    const safe = new Promise<void>((resolve) =>
      this.unacknowledged.set(status.uuid!.toString("hex"), resolve),
    );
    this.host.update(status);
    return safe;
  }
}

const isUnknown = (error: unknown): boolean =>
  isTepuiError(error) && error.code === "TEPUI_CONTAINER_UNKNOWN";
