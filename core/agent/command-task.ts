import {
  type KillPolicy,
  TaskStatus_Reason as Reason,
  type TaskInfo,
  TaskState,
} from "../../proto/gen/mesos/v1/mesos.js";
import type { Clock, Timer } from "../../sdk/contracts/clock.js";
import type { ContainerTermination } from "../../sdk/contracts/containerizer.js";
import { killGracePeriod } from "./command-executor-info.js";
import { exitText } from "./exit-text.js";

const SIGTERM = 15;
const SIGKILL = 9;

export interface CommandStatus {
  readonly state: TaskState;
  readonly reason?: Reason | undefined;
  readonly message?: string | undefined;
  readonly data?: Buffer | undefined;
}

/** Why a task is made to end: somebody asked for it, or its time is over. */
export type KillCause = "killed" | "overtime";

export interface CommandTaskHost {
  /** What its last message says has ended. */
  readonly noun: "Command" | "Container";
  readonly clock: Clock;
  /** The framework wants to hear of TASK_KILLING. */
  readonly reportsKilling: boolean;
  report(status: CommandStatus): void;
  /** The task is to end; its end is told truly also by a later run of the agent. Comes before the first signal. */
  noteKill(cause: KillCause): void;
  /** To every process of the task's container. */
  signal(signal: number): void;
}

/**
 * What Mesos's command executor does for one task, without being a process: it tells the states of the command, kills it politely
 * and then for good, and ends it when its time is over.
 */
export class CommandTask {
  private running = false;
  private ended = false;
  private escalation: { readonly timer: Timer; readonly started: number; readonly at: number } | undefined;
  private completion: Timer | undefined;
  private overtime = false;

  constructor(
    private readonly task: TaskInfo,
    private readonly host: CommandTaskHost,
  ) {}

  /** The container runs, and this is to be told of it. */
  started(data?: Buffer): void {
    this.host.report({ state: TaskState.TASK_STARTING });
    this.host.report({ state: TaskState.TASK_RUNNING, data });
    this.followed(0);
  }

  /**
   * The container runs, and its framework knows: after a restart of the agent.
   *
   * @param age how long it has been running, in milliseconds
   */
  followed(age: number): void {
    this.running = true;
    const limit = this.task.max_completion_time?.nanoseconds;
    if (limit === undefined || limit <= 0n) return;
    this.completion = this.host.clock.setTimeout(
      () => {
        this.overtime = true;
        this.killWithin(0);
      },
      Number(limit) / 1e6 - age,
    );
  }

  /** It was being killed when the agent went away; how far that had come is not known. */
  resumeKilling(cause: KillCause = "killed"): void {
    this.overtime = cause === "overtime";
    this.killWithin(killGracePeriod([this.task.kill_policy]), { told: true });
  }

  /** Asked to end, by a framework. A later request can only bring the end nearer. */
  kill(policy: KillPolicy | undefined): void {
    this.completion?.cancel();
    this.killWithin(killGracePeriod([policy, this.task.kill_policy]));
  }

  /** @param grace milliseconds between SIGTERM and SIGKILL */
  killWithin(grace: number, { told = this.overtime } = {}): void {
    if (!this.running || this.ended) return;
    const { clock } = this.host;
    const now = clock.monotonic();
    if (this.escalation === undefined) {
      if (!told && this.host.reportsKilling) this.host.report({ state: TaskState.TASK_KILLING });
      this.host.noteKill(this.overtime ? "overtime" : "killed");
      this.host.signal(SIGTERM);
      this.escalate(now, now + grace);
    } else if (this.escalation.started + grace < this.escalation.at) {
      this.escalation.timer.cancel();
      this.escalate(this.escalation.started, this.escalation.started + grace);
    }
  }

  /** The container ended; tells the task's last state. */
  finish({ exit }: ContainerTermination): void {
    if (this.ended) return;
    this.ended = true;
    this.stop();
    const { noun } = this.host;
    if (exit === undefined) {
      const whose = noun === "Command" ? "for Command" : "of container";
      this.host.report({ state: TaskState.TASK_FAILED, message: `Failed to get exit status ${whose}` });
      return;
    }
    const message = `${noun} ${exitText(exit)}`;
    if (this.overtime) {
      this.host.report({
        state: TaskState.TASK_FAILED,
        reason: Reason.REASON_MAX_COMPLETION_TIME_REACHED,
        message,
      });
    } else if (this.escalation !== undefined) {
      this.host.report({ state: TaskState.TASK_KILLED, message });
    } else {
      this.host.report({ state: exit.code === 0 ? TaskState.TASK_FINISHED : TaskState.TASK_FAILED, message });
    }
  }

  stop(): void {
    this.escalation?.timer.cancel();
    this.completion?.cancel();
  }

  private escalate(started: number, at: number): void {
    const { clock } = this.host;
    const timer = clock.setTimeout(() => this.host.signal(SIGKILL), at - clock.monotonic());
    this.escalation = { timer, started, at };
  }
}
