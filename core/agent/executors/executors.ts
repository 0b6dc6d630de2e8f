import { ExitedExecutorMessage } from "../../../proto/gen/mesos/internal/messages.js";
import { Event_Type } from "../../../proto/gen/mesos/v1/executor/executor.js";
import {
  type ContainerID,
  type KillPolicy,
  TaskStatus_Reason as Reason,
  TaskStatus_Source as Source,
  TaskState,
} from "../../../proto/gen/mesos/v1/mesos.js";
import type { Clock } from "../../../sdk/contracts/clock.js";
import type { ContainerTermination } from "../../../sdk/contracts/containerizer.js";
import type { Logger } from "../../../sdk/contracts/logger.js";
import { isTerminal } from "../../../sdk/task-states.js";
import { durationFromNs, formatDuration } from "../../../sdk/values/index.js";
import type { AgentState } from "../agent-state.js";
import type { Checkpoints } from "../checkpoint.js";
import type { Disk } from "../disk/operations.js";
import type { Framework } from "../framework.js";
import type { GarbageCollector } from "../garbage-collector.js";
import type { NamedMessage } from "../link/master-link.js";
import type { AgentMetrics } from "../metrics.js";
import type { AgentOptions } from "../options.js";
import type { AgentPaths } from "../paths.js";
import { Repairs } from "../repairs.js";
import { exitText, waitStatus } from "../tasks/exit-text.js";
import type { Statuses } from "../tasks/statuses.js";
import type { UpdateManager } from "../updates/update-manager.js";
import type { Executor, Verdict } from "./executor.js";

/** Mesos's command executor keeps this much of its shutdown's time for itself. Milliseconds. */
const SHUTDOWN_MARGIN = 2000;

/** An executor that is over, and the directories that nobody needs any more. */
interface Ended {
  readonly framework: Framework;
  readonly executor: Executor;
  readonly unused: readonly string[];
}

export interface ExecutorsOptions {
  readonly state: AgentState;
  readonly statuses: Statuses;
  readonly updates: UpdateManager;
  readonly checkpoints: Checkpoints;
  readonly paths: AgentPaths;
  readonly disk: Disk;
  readonly gc: GarbageCollector;
  readonly metrics: AgentMetrics;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly agent: AgentOptions;
  readonly send: (message: NamedMessage) => void;
  /** The container of an executor is over for good. */
  readonly forgotten: (containerId: ContainerID) => void;
  /** The last framework is gone. */
  readonly idle: () => void;
}

const KILLED_UNDELIVERED = {
  state: TaskState.TASK_KILLED,
  reason: Reason.REASON_TASK_KILLED_DURING_LAUNCH,
  message: "Killed before delivery to the executor",
} as const satisfies Verdict;

/** Ends executors and what is theirs: on request, when their container ends, and when the last acknowledgement came. */
export class Executors {
  /** It is not written down that they are over. */
  private readonly repairs: Repairs<Ended>;

  constructor(private readonly options: ExecutorsOptions) {
    this.repairs = new Repairs(options.clock, (ended) => this.noteEnd(ended));
  }

  /** The agent ends. */
  stop(): void {
    this.repairs.stop();
  }

  /** Asks the executor to end, and makes it end when its time is over. */
  shutdown(executor: Executor): void {
    if (executor.state !== "registering" && executor.state !== "running") return;
    const wasRunning = executor.state === "running";
    executor.state = "terminating";
    const { clock, agent, logger } = this.options;
    const given = executor.info.shutdown_grace_period?.nanoseconds;
    const grace = given === undefined ? agent.executorShutdownGracePeriod : durationFromNs(given);
    logger.info({ executor: executor.id, framework: executor.ids.frameworkId }, "shutting an executor down");
    if (executor.command !== undefined && wasRunning) {
      executor.command.killWithin(Math.max(0, grace - SHUTDOWN_MARGIN));
    } else if (executor.connection === undefined && (executor.isCommand || executor.isPod)) {
      // Not running yet: nothing to be polite to.
      this.destroy(executor);
    } else {
      executor.connection?.send({ type: Event_Type.SHUTDOWN });
    }
    executor.timers.add(clock.setTimeout(() => this.destroy(executor), grace));
  }

  /** Ends the executor's container at once; a launch under way ends with it. */
  destroy(executor: Executor): void {
    const { containerizer, containerId } = executor;
    containerizer
      ?.destroy(containerId)
      .catch((error: unknown) =>
        this.options.logger.error(
          { err: error, container: containerId.value },
          "a container could not be destroyed",
        ),
      );
  }

  /** Takes back what the executor was lent: its container ends at once, and its tasks are told why. */
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

  /** An executor that the agent runs by itself has nothing left to do. */
  leave(executor: Executor): void {
    executor.state = "terminating";
    executor.exit = { code: 0, signal: undefined };
    this.destroy(executor);
  }

  /** The executor's container ended. */
  terminated(executor: Executor, told: ContainerTermination | undefined): void {
    const termination = executor.exit === undefined ? told : { exit: executor.exit };
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
    if (framework.terminating) this.giveTasksUp(executor);
    else this.endTasks(executor, termination);
    if (!executor.generated) this.tellExit(executor, termination);
    if (framework.terminating || !executor.incomplete) this.remove(framework, executor);
  }

  /** A terminal update was acknowledged: what waited only for that can go. */
  acknowledged(framework: Framework, executor: Executor | undefined): void {
    if (executor?.state === "terminated" && !executor.incomplete) this.remove(framework, executor);
    else this.removeIfIdle(framework);
  }

  kill(
    framework: Framework,
    executor: Executor,
    { taskId, policy }: { taskId: string; policy: KillPolicy | undefined },
  ): void {
    switch (executor.state) {
      case "registering":
        if (executor.isCommand) {
          // The task is the container, which may come to run before it can be ended: until then it is not over, and not told to be.
          executor.verdict ??= KILLED_UNDELIVERED;
          this.shutdown(executor);
        } else {
          // Custom executors are ended when they subscribe and find nothing to do.
          this.killUndelivered(executor, taskId);
        }
        break;
      case "running":
        if (executor.command !== undefined) executor.command.kill(policy);
        else if (executor.queued.has(taskId)) {
          this.killUndelivered(executor, taskId);
          if (!executor.everSentTask && executor.queued.size === 0) this.shutdown(executor);
        } else {
          const kill = { task_id: { value: taskId }, kill_policy: policy };
          executor.connection?.send({ type: Event_Type.KILL, kill });
        }
        break;
      default:
        this.options.logger.info(
          { task: taskId, framework: framework.id },
          "ignoring a kill: the executor is ending",
        );
    }
  }

  shutdownFramework(framework: Framework): void {
    if (framework.terminating) return;
    this.options.logger.info({ framework: framework.id }, "shutting a framework down");
    framework.terminating = true;
    for (const executor of [...framework.running.values()]) {
      if (executor.state === "terminated") this.remove(framework, executor);
      else this.shutdown(executor);
    }
    this.removeIfIdle(framework);
  }

  removeIfIdle(framework: Framework): void {
    const { state, updates, gc, paths, logger } = this.options;
    if (!framework.idle || state.frameworks.get(framework.id) !== framework) return;
    // Updates that belong to no executor must still be delivered.
    if (!framework.terminating && updates.hasPending(framework.id)) return;
    logger.info({ framework: framework.id }, "cleaning a framework up");
    updates.forget(framework.id);
    const ids = { agentId: state.id, frameworkId: framework.id };
    gc.schedule(paths.work.framework(ids));
    if (framework.checkpoint) gc.schedule(paths.meta.framework(ids));
    state.completeFramework(framework);
    if (state.frameworks.size === 0) this.options.idle();
  }

  private remove(framework: Framework, executor: Executor): void {
    const { gc, paths, agent } = this.options;
    const { ids } = executor;
    executor.stopTimers();
    executor.command?.stop();
    // Kept for a while as history, so without what only a live one needs.
    executor.command = undefined;
    // The container is over; this lets its runtime files go, which until now could have been needed to recover it.
    this.destroy(executor);
    this.options.forgotten(executor.containerId);
    const layouts = executor.checkpoint ? [paths.work, paths.meta] : [paths.work];
    const unused = layouts.flatMap((layout) => [layout.run(ids), layout.executor(ids)]);
    for (const path of unused) gc.schedule(path);
    this.noteEnd({ framework, executor, unused });
    framework.running.delete(executor.id);
    if (agent.maxCompletedExecutorsPerFramework > 0) {
      framework.completed.push(executor);
      if (framework.completed.length > agent.maxCompletedExecutorsPerFramework) framework.completed.shift();
    }
    this.removeIfIdle(framework);
  }

  /** Or a later run of the agent would take it for one that ended meanwhile. */
  private noteEnd(ended: Ended): void {
    const { disk, checkpoints, logger } = this.options;
    const { framework, executor, unused } = ended;
    const sentinel = executor.checkpoint
      ? [...checkpoints.missing(executor.ids.agentId, framework), ...checkpoints.sentinel(executor)]
      : [];
    // A later run of the agent tells by it since when they are unused.
    const touches = unused.map((path) => ({ op: "touch", path }) as const);
    disk.apply([...sentinel, ...touches]).catch((error: unknown) => {
      logger.error({ err: error, executor: executor.id }, "the end of an executor could not be written down");
      if (executor.checkpoint) this.repairs.later(ended);
    });
  }

  /** With the tasks of its group: what was to start together does not start in part. */
  private killUndelivered(executor: Executor, killed: string): void {
    this.endUndelivered(executor, killed, KILLED_UNDELIVERED);
  }

  /** With the tasks of its group. */
  endUndelivered(
    executor: Executor,
    ended: string,
    verdict: Required<Pick<Verdict, "state" | "reason" | "message">>,
  ): void {
    for (const taskId of executor.dequeueGroup(ended)) {
      this.options.statuses.report({
        frameworkId: executor.ids.frameworkId,
        taskId,
        executorId: executor.id,
        source: Source.SOURCE_AGENT,
        ...verdict,
      });
    }
  }

  /** Nobody is told: the framework is gone. */
  private giveTasksUp(executor: Executor): void {
    for (const [taskId, task] of executor.launched) executor.terminated.set(taskId, task);
    executor.launched.clear();
    executor.queued.clear();
    executor.queuedGroups = [];
  }

  /** Tells the end of every task that had none yet. */
  private endTasks(executor: Executor, termination: ContainerTermination | undefined): void {
    const limited = termination?.reason !== undefined;
    if (
      executor.command !== undefined &&
      termination !== undefined &&
      !limited &&
      executor.verdict === undefined
    ) {
      executor.command.finish(termination);
    }
    const open = [...executor.launched.values()].filter(({ state }) => !isTerminal(state));
    for (const taskId of [...open.map(({ task_id }) => task_id!.value!), ...executor.queued.keys()]) {
      this.endTask(executor, taskId, termination);
    }
  }

  private endTask(executor: Executor, taskId: string, termination: ContainerTermination | undefined): void {
    const { verdict } = executor;
    const messages = [verdict?.message, termination?.message].filter((text) => text !== undefined);
    this.options.statuses.report({
      frameworkId: executor.ids.frameworkId,
      taskId,
      executorId: executor.id,
      state: verdict?.state ?? TaskState.TASK_FAILED,
      source: Source.SOURCE_AGENT,
      reason: termination?.reason ?? verdict?.reason ?? Reason.REASON_EXECUTOR_TERMINATED,
      message: messages.length > 0 ? messages.join("; ") : "Executor terminated",
      limitedResources: termination?.limitation?.resources,
    });
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
