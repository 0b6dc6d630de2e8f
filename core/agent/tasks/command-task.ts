import {
  type CheckStatusInfo,
  type KillPolicy,
  TaskStatus_Reason as Reason,
  type TaskInfo,
  TaskState,
  type TaskStatus,
} from "../../../proto/gen/mesos/v1/mesos.js";
import type { Timer } from "../../../sdk/contracts/clock.js";
import type { ContainerTermination } from "../../../sdk/contracts/containerizer.js";
import { checkStatus } from "../checks/check-status.js";
import { failedTooOften } from "../checks/health.js";
import type { CheckedTask, CheckListener, RunningChecks } from "../checks/task-checks.js";
import { killGracePeriod } from "../executors/command-executor-info.js";
import { limitCompletion } from "./completion-limit.js";
import { Ending, type EndingHost } from "./ending.js";
import { exitText } from "./exit-text.js";
import { graceLeft, type KillRecord } from "./kill-record.js";

export interface CommandStatus {
  readonly state: TaskState;
  readonly reason?: Reason | undefined;
  readonly message?: string | undefined;
  readonly data?: Buffer | undefined;
  readonly healthy?: boolean | undefined;
  readonly checkStatus?: CheckStatusInfo | undefined;
}

export interface CommandTaskHost extends EndingHost {
  /** What has ended, in its last message. */
  readonly noun: "Command" | "Container";
  /** The framework wants TASK_KILLING updates. */
  readonly reportsKilling: boolean;
  report(status: CommandStatus): void;
  /** Starts the task's checks; undefined if it has none. */
  check(task: CheckedTask, listener: CheckListener): RunningChecks | undefined;
}

/**
 * Mesos's command executor for one task, without a process: reports the states of the command, and kills it (first politely) on request,
 * when its time is up, or when too many health checks fail.
 */
export class CommandTask {
  private running = false;
  private ended = false;
  private ending: Ending | undefined;
  private completion: Timer | undefined;
  private checks: RunningChecks | undefined;
  private overtime = false;
  private unhealthy = false;
  /** The status that was reported last. */
  private status: CommandStatus | undefined;

  constructor(
    private readonly task: TaskInfo,
    private readonly host: CommandTaskHost,
  ) {}

  /**
   * The container runs, and this has to be reported.
   *
   * @param starting whether an earlier run of the agent has reported TASK_STARTING
   */
  started({ data, starting = false }: { readonly data?: Buffer | undefined; starting?: boolean } = {}): void {
    if (!starting) this.report({ state: TaskState.TASK_STARTING });
    this.report({ state: TaskState.TASK_RUNNING, data });
    this.follow(0, []);
  }

  /**
   * The container runs and its framework knows: after a restart of the agent.
   *
   * @param age how long it has been running, in milliseconds
   * @param reported its statuses so far, oldest first
   * @param kill how it was being killed, if it was
   */
  followed(age: number, reported: readonly TaskStatus[], kill?: KillRecord): void {
    const { healthy, check_status: checkStatus } = reported.at(-1) ?? {};
    this.status = { state: TaskState.TASK_RUNNING, healthy, checkStatus };
    if (kill === undefined) {
      this.follow(age, reported);
      return;
    }
    this.running = true;
    this.overtime = kill.cause === "overtime";
    this.unhealthy = kill.cause === "unhealthy";
    const grace = graceLeft(kill, killGracePeriod([this.task.kill_policy]), this.host.clock.now());
    this.killWithin(grace, { reported: true, asked: kill.deadline !== undefined });
  }

  private follow(age: number, reported: readonly TaskStatus[]): void {
    this.running = true;
    if (failedTooOften(this.task, reported)) {
      this.endUnhealthy();
      return;
    }
    this.checks = this.host.check(
      { info: this.task, age, reported },
      {
        checked: (checkStatus) =>
          this.reportCheck({ checkStatus, reason: Reason.REASON_TASK_CHECK_STATUS_UPDATED }),
        health: (healthy, kill) => {
          this.reportCheck({ healthy, reason: Reason.REASON_TASK_HEALTH_CHECK_STATUS_UPDATED });
          if (kill) this.endUnhealthy();
        },
      },
    );
    const expired = (): void => {
      this.overtime = true;
      this.killWithin(0);
    };
    this.completion = limitCompletion(this.host.clock, this.task, { age, expired });
  }

  /** Killed by its framework. A repeated request can only shorten the grace period. */
  kill(policy: KillPolicy | undefined): void {
    this.completion?.cancel();
    this.killWithin(killGracePeriod([policy, this.task.kill_policy]));
  }

  /** @param grace milliseconds between SIGTERM and SIGKILL */
  killWithin(grace: number, { reported = this.overtime, asked = false } = {}): void {
    if (!this.running || this.ended) return;
    if (this.ending !== undefined) {
      this.ending.hasten(grace);
      return;
    }
    this.checks?.stop();
    if (!reported && this.host.reportsKilling) this.report({ state: TaskState.TASK_KILLING });
    const cause = this.overtime ? "overtime" : this.unhealthy ? "unhealthy" : "killed";
    this.ending = new Ending({ cause, grace, asked }, this.host);
    void this.ending.ask();
  }

  /** The container has ended; reports the task's final state. */
  finish({ exit }: ContainerTermination): void {
    if (this.ended) return;
    this.ended = true;
    this.stop();
    const { noun } = this.host;
    if (exit === undefined) {
      const whose = noun === "Command" ? "for Command" : "of container";
      this.report({ state: TaskState.TASK_FAILED, message: `Failed to get exit status ${whose}` });
      return;
    }
    const message = `${noun} ${exitText(exit)}`;
    if (this.overtime) {
      this.report({
        state: TaskState.TASK_FAILED,
        reason: Reason.REASON_MAX_COMPLETION_TIME_REACHED,
        message,
      });
    } else if (this.ending !== undefined) {
      this.report({ state: TaskState.TASK_KILLED, message, ...(this.unhealthy && { healthy: false }) });
    } else {
      this.report({ state: exit.code === 0 ? TaskState.TASK_FINISHED : TaskState.TASK_FAILED, message });
    }
  }

  stop(): void {
    this.checks?.stop();
    this.ending?.stop();
    this.completion?.cancel();
  }

  private endUnhealthy(): void {
    this.unhealthy = true;
    this.kill(undefined);
  }

  private report(status: CommandStatus): void {
    this.status = { ...status, checkStatus: checkStatus(this.task.check) };
    this.host.report(this.status);
  }

  /** The last status, with the result of a check. */
  private reportCheck(found: Pick<CommandStatus, "reason" | "healthy" | "checkStatus">): void {
    if (this.status === undefined) return;
    // The container's status has been reported already.
    this.status = { ...this.status, data: undefined, ...found };
    this.host.report(this.status);
  }
}
