import { ExitedExecutorMessage } from "../../../proto/gen/mesos/internal/messages.js";
import { Event_Type } from "../../../proto/gen/mesos/v1/executor/executor.js";
import {
  type KillPolicy,
  TaskStatus_Reason as Reason,
  TaskState,
} from "../../../proto/gen/mesos/v1/mesos.js";
import type { ContainerTermination } from "../../../sdk/contracts/containerizer.js";
import { inTime } from "../../../sdk/time/index.js";
import { durationFromNs, formatDuration } from "../../../sdk/values/index.js";
import type { Framework } from "../framework.js";
import type { NamedMessage } from "../link/master-link.js";
import type { AgentMetrics } from "../metrics.js";
import { exitText, waitStatus } from "../tasks/exit-text.js";
import { KILLED } from "../tasks/kill-record.js";
import type { Statuses } from "../tasks/statuses.js";
import type { Executor, Verdict } from "./executor.js";
import { Retirement, type RetirementOptions } from "./retirement.js";
import { UnfinishedTasks } from "./unfinished-tasks.js";

/** Mesos's command executor reserves this part of its shutdown grace period for itself. Milliseconds. */
const SHUTDOWN_MARGIN = 2000;
/** How long the end of a container waits for a disk that does not answer. Milliseconds. */
const NOTE_PATIENCE = 60_000;

export interface ExecutorsOptions extends Omit<RetirementOptions, "destroy"> {
  readonly statuses: Statuses;
  readonly metrics: AgentMetrics;
  readonly send: (message: NamedMessage) => void;
}

/** Killed before anything about it was reported. */
export const KILLED_UNDELIVERED = {
  state: TaskState.TASK_KILLED,
  reason: Reason.REASON_TASK_KILLED_DURING_LAUNCH,
  message: "Killed before delivery to the executor",
} as const satisfies Verdict;

/** Ends executors: on request, when their container ends, and when the last acknowledgement has arrived. */
export class Executors {
  readonly unfinished: UnfinishedTasks;
  readonly retirement: Retirement;

  constructor(private readonly options: ExecutorsOptions) {
    this.unfinished = new UnfinishedTasks(options.statuses);
    this.retirement = new Retirement({ ...options, destroy: (executor) => this.destroy(executor) });
  }

  /** Asks the executor to shut down, and destroys its container after the grace period. */
  shutdown(executor: Executor): void {
    if (executor.ending) return;
    const wasRunning = executor.state === "running";
    executor.state = "terminating";
    const { clock, agent, logger } = this.options;
    const given = executor.info.shutdown_grace_period?.nanoseconds;
    const grace = given === undefined ? agent.executorShutdownGracePeriod : durationFromNs(given);
    logger.info({ executor: executor.id, framework: executor.ids.frameworkId }, "shutting an executor down");
    if (executor.command !== undefined && wasRunning) {
      executor.command.killWithin(Math.max(0, grace - SHUTDOWN_MARGIN));
    } else if (executor.connection === undefined && (executor.isCommand || executor.isPod)) {
      // It is not running yet, so there is nobody to ask.
      this.destroy(executor);
    } else {
      executor.connection?.send({ type: Event_Type.SHUTDOWN });
    }
    executor.timers.add(clock.setTimeout(() => this.destroy(executor), grace));
  }

  /** Destroys the executor's container at once; a launch in progress is aborted with it. */
  destroy(executor: Executor): void {
    const { killNoted } = executor;
    if (killNoted === undefined) this.destroyNow(executor);
    else void inTime(this.options.clock, NOTE_PATIENCE, killNoted).then(() => this.destroyNow(executor));
  }

  private destroyNow({ containerizer, containerId }: Executor): void {
    containerizer
      ?.destroy(containerId)
      .catch((error: unknown) =>
        this.options.logger.error(
          { err: error, container: containerId.value },
          "a container could not be destroyed",
        ),
      );
  }

  /** Revokes oversubscribed resources: destroys the container at once and tells its tasks why. */
  preempt(framework: Framework, executor: Executor): void {
    executor.state = "terminating";
    executor.verdict = {
      state: framework.partitionAware ? TaskState.TASK_GONE : TaskState.TASK_LOST,
      reason: Reason.REASON_CONTAINER_PREEMPTED,
      message: "Container preempted by QoS correction",
    };
    this.options.metrics.executorsPreempted.inc();
    this.destroy(executor);
  }

  /** No container of the executor will run; its tasks end with the verdict. */
  fail(executor: Executor, verdict: Verdict): void {
    executor.verdict ??= verdict;
    this.terminated(executor, undefined);
  }

  /** An executor that the agent runs itself has nothing left to do. */
  leave(executor: Executor): void {
    executor.state = "terminating";
    executor.exit = { code: 0, signal: undefined };
    this.destroy(executor);
  }

  /** The executor's container has ended. */
  terminated(executor: Executor, reported: ContainerTermination | undefined): void {
    const termination = executor.exit === undefined ? reported : { exit: executor.exit };
    const { state, logger, metrics } = this.options;
    const framework = state.frameworks.get(executor.ids.frameworkId);
    if (framework?.running.get(executor.id) !== executor || executor.state === "terminated") return;
    const end = termination?.exit === undefined ? "ended with unknown status" : exitText(termination.exit);
    logger.info({ executor: executor.id, framework: framework.id }, `executor ${end}`);
    metrics.executorsTerminated.inc();
    executor.state = "terminated";
    executor.stopTimers();
    executor.connection?.close();
    executor.connection = undefined;
    if (framework.terminating) this.unfinished.giveUp(executor);
    else this.unfinished.end(executor, termination);
    if (!executor.generated) this.tellExit(executor, termination);
    if (framework.terminating || !executor.incomplete) this.retirement.remove(framework, executor);
  }

  /** A terminal update was acknowledged: what was only waiting for that can be removed. */
  acknowledged(framework: Framework, executor: Executor | undefined): void {
    if (executor?.state === "terminated" && !executor.incomplete) this.retirement.remove(framework, executor);
    else this.retirement.removeIfIdle(framework);
  }

  kill(
    framework: Framework,
    executor: Executor,
    { taskId, policy }: { taskId: string; policy: KillPolicy | undefined },
  ): void {
    switch (executor.state) {
      case "registering":
        if (executor.isCommand) {
          // The task is the container, and may still start before it can be destroyed. Until then it has not ended, and is not reported to
          // have.
          executor.verdict ??= KILLED_UNDELIVERED;
          executor.killNoted = this.noteKill(executor, taskId);
          this.shutdown(executor);
        } else {
          // A custom executor is shut down when it subscribes and has nothing to do.
          this.unfinished.endUndelivered(executor, taskId, KILLED_UNDELIVERED);
        }
        break;
      case "running":
        if (executor.command !== undefined) executor.command.kill(policy);
        else if (executor.queued.has(taskId)) {
          this.unfinished.endUndelivered(executor, taskId, KILLED_UNDELIVERED);
          if (!executor.everSentTask && executor.queued.size === 0) this.shutdown(executor);
        } else {
          const kill = { task_id: { value: taskId }, kill_policy: policy };
          // Mesos's agent loses a kill that cannot be delivered. But nobody may repeat it, for example when the agent is draining.
          if (executor.connection === undefined) executor.unsentKills.set(taskId, kill);
          else executor.connection.send({ type: Event_Type.KILL, kill });
        }
        break;
      default:
        this.options.logger.info(
          { task: taskId, framework: framework.id },
          "ignoring a kill: the executor is ending",
        );
    }
  }

  /**
   * Without this record, a later run of the agent would report that a signal ended the task, not that somebody asked for it. Never rejects.
   */
  private async noteKill(executor: Executor, taskId: string): Promise<void> {
    if (!executor.checkpoint) return;
    const { checkpoints, disk, logger } = this.options;
    await disk
      .apply(checkpoints.kill(executor, taskId, KILLED))
      .catch((error: unknown) =>
        logger.error({ err: error, executor: executor.id }, "a kill could not be written down"),
      );
  }

  shutdownFramework(framework: Framework): void {
    if (framework.terminating) return;
    this.options.logger.info({ framework: framework.id }, "shutting a framework down");
    framework.terminating = true;
    for (const executor of [...framework.running.values()]) {
      if (executor.state === "terminated") this.retirement.remove(framework, executor);
      else this.shutdown(executor);
    }
    this.retirement.removeIfIdle(framework);
  }

  private tellExit({ ids }: Executor, termination: ContainerTermination | undefined): void {
    const body = ExitedExecutorMessage.encode({
      slave_id: { value: ids.agentId },
      framework_id: { value: ids.frameworkId },
      executor_id: { value: ids.executorId },
      status: waitStatus(termination?.exit),
    }).finish();
    this.options.send({ name: "mesos.internal.ExitedExecutorMessage", body });
  }

  /** The executor did not subscribe in time. */
  registrationTimeout(executor: Executor): void {
    if (executor.state !== "registering") return;
    executor.state = "terminating";
    executor.verdict = {
      state: TaskState.TASK_FAILED,
      reason: Reason.REASON_EXECUTOR_REGISTRATION_TIMEOUT,
      message: `Executor did not register within ${formatDuration(this.options.agent.executorRegistrationTimeout)}`,
    };
    this.destroy(executor);
  }
}
