import { type StatusUpdate, StatusUpdateMessage } from "../../../proto/gen/mesos/internal/messages.js";
import {
  TaskStatus_Source as Source,
  TaskState,
  type TaskStatus,
} from "../../../proto/gen/mesos/v1/mesos.js";
import type { Clock } from "../../../sdk/contracts/clock.js";
import type { Logger } from "../../../sdk/contracts/logger.js";
import type { Random } from "../../../sdk/contracts/random.js";
import { isTerminal } from "../../../sdk/task-states.js";
import type { AgentState } from "../agent-state.js";
import { asDraining } from "../draining/draining-status.js";
import type { Executor } from "../executors/executor.js";
import type { Complaints } from "../link/complaints.js";
import type { NamedMessage } from "../link/master-link.js";
import type { AgentMetrics } from "../metrics.js";
import type { AgentPaths } from "../paths.js";
import type { UpdateManager } from "../updates/update-manager.js";
import { makeUpdate, type StatusFacts, uuidBytes } from "./status.js";
import { makeTask, noteStatus } from "./task.js";

export interface StatusesOptions {
  readonly state: AgentState;
  readonly updates: UpdateManager;
  readonly paths: AgentPaths;
  readonly metrics: AgentMetrics;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly complaints: Complaints;
  /** `slave(1)@ip:port` */
  readonly agentPid: () => string;
  readonly send: (message: NamedMessage) => void;
  /** An executor sent an update that it may not send, and has to end. */
  readonly misbehaved: (executor: Executor) => void;
  /** A task of a custom executor has ended. Resolves when the container has shrunk; only then is the update sent. */
  readonly shrunk: (executor: Executor) => Promise<void>;
}

/** The sender of an update, and how it hears about it. */
export interface UpdateSender {
  /** The agent has stored the update, or it does not matter: the sender need not repeat it. */
  taken(): void;
  /**
   * Nothing about it is kept any more: the scheduler has acknowledged it, or it was dropped. Called once, possibly before `take` returns.
   */
  over(): void;
}

const NOBODY: UpdateSender = { taken: () => undefined, over: () => undefined };

/** Takes status updates, whoever sends them, into the agent's state and on to the master. */
export class Statuses {
  constructor(private readonly options: StatusesOptions) {}

  /** An update from the agent itself. */
  report(facts: StatusFacts): void {
    const { clock, random, state } = this.options;
    const origin = { agentId: state.id, timestamp: clock.now() / 1000, uuid: uuidBytes(random.uuid()) };
    this.take(makeUpdate(facts, origin));
  }

  take(received: StatusUpdate, sender: UpdateSender = NOBODY): void {
    if (!this.accept(received, sender)) sender.over();
  }

  /** False if nothing about it is kept. */
  private accept(received: StatusUpdate, sender: UpdateSender): boolean {
    const { state, metrics, updates } = this.options;
    const taskId = received.status!.task_id!.value!;
    const framework = state.frameworks.get(received.framework_id!.value!);
    if (framework === undefined || framework.terminating) {
      this.ignored(taskId, "its framework is not known or is being ended");
      metrics.invalidStatusUpdates.inc();
      return false;
    }
    const { draining } = state;
    const update = draining === undefined ? received : asDraining(received, framework, draining.config);
    const status = update.status!;
    const executor = framework.executorOf(taskId);
    const byExecutor = status.source === Source.SOURCE_EXECUTOR;
    if (byExecutor && status.state === TaskState.TASK_STAGING && executor !== undefined) {
      this.endForStaging(executor, taskId);
      return false;
    }
    metrics.validStatusUpdates.inc();
    if (updates.knows(update)) {
      // An executor repeats updates that were not acknowledged to it.
      updates.whenSafe(update, sender.taken);
      return false;
    }
    if (executor === undefined && byExecutor && framework.hasCompleted(taskId)) {
      // The executor repeats an update that was not acknowledged to it. Mesos's agent forwards it, and the task seems to run again.
      this.ignored(taskId, "the end of the task is acknowledged");
      updates.whenSafe(update, sender.taken);
      return false;
    }
    if (executor === undefined) {
      this.store(update, undefined, sender);
      return true;
    }
    this.addContainerStatus(executor, status);
    const problem = this.advance(executor, status);
    if (problem !== undefined) {
      this.ignored(taskId, problem);
      // It may repeat one that is waiting to be stored.
      const safe = (): void => updates.whenSafe(update, sender.taken);
      const turn = executor.held.get(taskId);
      if (turn === undefined) safe();
      else void turn.then(safe);
      return false;
    }
    this.inTurn(executor, status, () => {
      const written = executor.checkpoint && !executor.unrecorded.has(taskId);
      const path = written ? this.options.paths.meta.taskUpdates(executor.ids, taskId) : undefined;
      this.store(update, path, sender);
    });
    return true;
  }

  private endForStaging(executor: Executor, taskId: string): void {
    const { complaints, logger, misbehaved } = this.options;
    const text = "an executor may not report TASK_STAGING; ending it";
    const say = complaints.about(executor.id, text);
    if (say !== undefined) logger.warn({ ...say, task: taskId, executor: executor.id }, text);
    misbehaved(executor);
  }

  /**
   * Stores an update: at once or, where it has to wait, after its container has shrunk, after the records of the executor's tasks are
   * written (only then is it known whether anything may be written about the task), and after the task's previous update.
   */
  private inTurn(executor: Executor, status: TaskStatus, store: () => void): void {
    const taskId = status.task_id!.value!;
    const shrinks = executor.state === "running" && isTerminal(status.state) && !executor.generated;
    const shrunk = shrinks ? this.options.shrunk(executor) : undefined;
    const { writing, held } = executor;
    const before = held.get(taskId);
    if (shrunk === undefined && writing === undefined && before === undefined) {
      store();
      return;
    }
    const turn = Promise.all([shrunk, writing, before]).then(() => {
      if (held.get(taskId) === turn) held.delete(taskId);
      store();
    });
    held.set(taskId, turn);
  }

  private ignored(taskId: string, problem: string): void {
    const { complaints, logger } = this.options;
    const say = complaints.about(taskId, problem);
    if (say !== undefined) logger.info({ ...say, task: taskId }, `ignoring a status update: ${problem}`);
  }

  /** For a task of an unknown framework: only the update is kept. */
  reportUnknown(facts: StatusFacts): void {
    const { clock, random, state } = this.options;
    const origin = { agentId: state.id, timestamp: clock.now() / 1000, uuid: uuidBytes(random.uuid()) };
    this.store(makeUpdate(facts, origin), undefined, NOBODY);
  }

  /** Called by the update manager. The master is also given the latest state, which may be newer than the update in flight. */
  forward(update: StatusUpdate): void {
    const { state, send, agentPid } = this.options;
    const status = update.status!;
    const taskId = status.task_id!.value!;
    const task = state.frameworks.get(update.framework_id!.value!)?.executorOf(taskId)?.task(taskId);
    if (task !== undefined) {
      task.status_update_state = status.state;
      task.status_update_uuid = update.uuid;
    }
    const latest = task?.state === undefined ? update : { ...update, latest_state: task.state };
    const body = StatusUpdateMessage.encode({ update: latest, pid: agentPid() }).finish();
    send({ name: "mesos.internal.StatusUpdateMessage", body });
  }

  private store(update: StatusUpdate, path: string | undefined, { taken, over }: UpdateSender): void {
    this.options.updates
      .update(update, path, over)
      .then(taken, (error: unknown) =>
        this.options.logger.error({ err: error }, "a status update could not be taken"),
      );
  }

  /** Moves the task to a new state, or says why that is impossible. */
  private advance(executor: Executor, status: TaskStatus): string | undefined {
    const taskId = status.task_id!.value!;
    const terminal = isTerminal(status.state);
    const queued = executor.queued.get(taskId);
    if (queued !== undefined) {
      if (!terminal) return "a task that was not delivered can only end";
      const task = makeTask(queued, executor.ids.frameworkId);
      noteStatus(task, status);
      executor.queued.delete(taskId);
      executor.terminated.set(taskId, task);
      this.options.metrics.taskEnded(status.state);
      return undefined;
    }
    const task = executor.launched.get(taskId);
    if (task === undefined) {
      return executor.terminated.has(taskId) ? "the task has ended already" : "the task is not known";
    }
    noteStatus(task, status);
    if (terminal) {
      executor.launched.delete(taskId);
      executor.terminated.set(taskId, task);
      this.options.metrics.taskEnded(status.state);
    }
    return undefined;
  }

  /** A container without a network of its own has the agent's address. */
  private addContainerStatus(executor: Executor, status: TaskStatus): void {
    const { containerStatus } = executor;
    if (containerStatus === undefined || !executor.launched.has(status.task_id!.value!)) return;
    const given = status.container_status;
    // The container of a pod's task that is starting has nothing to report yet.
    if (status.state === TaskState.TASK_STARTING && given?.container_id?.parent !== undefined) return;
    if (given === undefined) {
      status.container_status = containerStatus;
    } else {
      const network_infos =
        given.network_infos.length > 0 ? given.network_infos : containerStatus.network_infos;
      // A pod's task has a container of its own, nested in this one.
      const container_id = given.container_id ?? containerStatus.container_id;
      status.container_status = { ...given, ...containerStatus, container_id, network_infos };
    }
  }
}
