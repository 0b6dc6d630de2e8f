import { ExecutorToFrameworkMessage, StatusUpdate } from "../../../proto/gen/mesos/internal/messages.js";
import { type Call, Call_Type, Event_Type } from "../../../proto/gen/mesos/v1/executor/executor.js";
import {
  TaskStatus_Reason as Reason,
  TaskStatus_Source as Source,
  type TaskInfo,
  TaskState,
  type TaskStatus,
} from "../../../proto/gen/mesos/v1/mesos.js";
import type { Clock } from "../../../sdk/contracts/clock.js";
import type {
  ExecutorClaims,
  ExecutorConnection,
  ExecutorIdentity,
  ExecutorService,
  ExecutorSession,
  ExecutorSubscription,
} from "../../../sdk/contracts/executor-service.js";
import type { Logger } from "../../../sdk/contracts/logger.js";
import { isTepuiError, TepuiError } from "../../../sdk/errors/index.js";
import type { AgentState } from "../agent-state.js";
import type { Checkpoints } from "../checkpoint.js";
import { EXECUTOR_HEARTBEAT_INTERVAL } from "../constants.js";
import type { Disk } from "../disk/operations.js";
import type { Framework } from "../framework.js";
import type { Complaints } from "../link/complaints.js";
import type { NamedMessage } from "../link/master-link.js";
import type { AgentMetrics } from "../metrics.js";
import type { Statuses } from "../tasks/statuses.js";
import { dropped } from "../tasks/task-refusal.js";
import type { Deliveries } from "./deliveries.js";
import type { Executor } from "./executor.js";
import { claimsProblem, executorCallProblem } from "./executor-call-validation.js";
import type { ExecutorTokens } from "./executor-tokens.js";
import type { Executors } from "./executors.js";

export interface ExecutorCallsOptions {
  readonly state: AgentState;
  readonly executors: Executors;
  readonly statuses: Statuses;
  readonly checkpoints: Checkpoints;
  readonly deliveries: Deliveries;
  readonly disk: Disk;
  readonly metrics: AgentMetrics;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Set if executors have to authenticate. */
  readonly tokens: Pick<ExecutorTokens, "identify"> | undefined;
  readonly complaints: Complaints;
  /** An executor has connected. */
  readonly attached: () => void;
  /** Address of the master that the agent is registered with. */
  readonly master: () => string | undefined;
  readonly sendTo: (pid: string, message: NamedMessage) => void;
  /** Resolves when less is queued for an address; undefined: there is room now. */
  readonly room: (pid: string) => Promise<void> | undefined;
}

interface Attachment {
  readonly framework: Framework;
  readonly executor: Executor;
  readonly connection: ExecutorConnection;
  readonly subscribe: Call["subscribe"];
}

/** The executor API: custom executors subscribe and report on their tasks. */
export class ExecutorCalls implements ExecutorService {
  /** False until recovery knows which executors may come back and has located their containers. */
  open = false;

  constructor(private readonly options: ExecutorCallsOptions) {}

  ready(): boolean {
    return this.open;
  }

  validate(call: Call): void {
    const problem = executorCallProblem(call);
    if (problem !== undefined) {
      throw new TepuiError("TEPUI_EXECUTOR_CALL_INVALID", {
        detail: `Failed to validate Executor::Call: ${problem}`,
      });
    }
  }

  identify(authorization: string | undefined): ExecutorIdentity {
    return this.options.tokens?.identify(authorization) ?? { claims: undefined };
  }

  subscribe({ call, connection, claims }: ExecutorSubscription): ExecutorSession {
    const { framework, executor } = this.find(call, claims);
    return this.attach({ framework, executor, connection, subscribe: call.subscribe });
  }

  /** An executor has connected: a process that subscribed, or one that the agent runs itself. */
  attach({ framework, executor, connection, subscribe }: Attachment): ExecutorSession {
    const { state, executors, deliveries, disk, checkpoints, clock, logger } = this.options;
    const refused = state.phase === "terminating" || framework.terminating || executor.ending;
    if (refused) {
      logger.info({ executor: executor.id }, "an executor subscribes that is to end");
      connection.send({ type: Event_Type.SHUTDOWN });
      connection.close();
      return { disconnected: () => undefined };
    }
    executor.connection?.close();
    executor.connection = connection;
    executor.state = "running";
    executor.stopTimers();
    const heartbeat = clock.setInterval(
      () => connection.send({ type: Event_Type.HEARTBEAT }),
      EXECUTOR_HEARTBEAT_INTERVAL,
    );
    executor.timers.add(heartbeat);
    if (executor.checkpoint && executor.driver === undefined)
      this.persist(disk.apply(checkpoints.httpMarker(executor)));
    const { unacknowledged_updates = [], unacknowledged_tasks = [] } = subscribe ?? {};
    for (const update of unacknowledged_updates)
      if (update.status !== undefined) this.updateAgain(executor, update.status);
    this.dropUnknown(framework, executor, unacknowledged_tasks);
    if (!executor.everSentTask && executor.launched.size === 0 && executor.queued.size === 0) {
      logger.info(
        { executor: executor.id },
        "shutting an executor down: all its tasks were killed before it came",
      );
      executors.shutdown(executor);
    } else {
      const { info } = executor;
      const subscribed = {
        executor_info: info,
        framework_info: framework.info,
        agent_info: state.info,
        container_id: executor.containerId,
      };
      connection.send({ type: Event_Type.SUBSCRIBED, subscribed });
      for (const [taskId, kill] of executor.unsentKills)
        if (executor.launched.has(taskId)) connection.send({ type: Event_Type.KILL, kill });
      executor.unsentKills.clear();
      // Tasks may have ended, or been added, while it was away.
      if (executor.queued.size === 0) void deliveries.shrink(executor);
      else deliveries.deliver(executor);
    }
    this.options.attached();
    return {
      disconnected: () => {
        heartbeat.cancel();
        executor.timers.delete(heartbeat);
        if (executor.connection === connection) executor.connection = undefined;
      },
    };
  }

  call(call: Call, claims?: ExecutorClaims): Promise<void> | undefined {
    if (this.options.state.phase === "recovering" && !this.isUpdateOfOneThatIsBack(call))
      throw new TepuiError("TEPUI_AGENT_RECOVERING");
    const { framework, executor } = this.find(call, claims);
    if (executor.state === "registering") throw new TepuiError("TEPUI_EXECUTOR_NOT_SUBSCRIBED");
    switch (call.type) {
      case Call_Type.UPDATE:
        return this.update(executor, call.update!.status!);
      case Call_Type.MESSAGE:
        return this.message(framework, executor, call.message?.data ?? Buffer.alloc(0));
      case Call_Type.HEARTBEAT:
        return undefined;
      default:
        throw new TepuiError("TEPUI_EXECUTOR_CALL_UNKNOWN");
    }
  }

  /**
   * A running executor reports on a task. If it returns a promise, the update is accepted when enough earlier ones are acknowledged.
   *
   * @throws TepuiError TEPUI_EXECUTOR_BUSY
   */
  update(executor: Executor, status: TaskStatus): Promise<void> | undefined {
    const { state, statuses } = this.options;
    const agentId = { value: state.id };
    const update = {
      framework_id: { value: executor.ids.frameworkId },
      slave_id: agentId,
      status: { ...status, agent_id: agentId, source: Source.SOURCE_EXECUTOR },
      timestamp: status.timestamp ?? this.options.clock.now() / 1000,
      uuid: status.uuid,
      ...(status.executor_id !== undefined && { executor_id: status.executor_id }),
    };
    const taken = (): void => {
      const acknowledged = { task_id: status.task_id, uuid: status.uuid };
      executor.connection?.send({ type: Event_Type.ACKNOWLEDGED, acknowledged });
    };
    const size = StatusUpdate.encode(update).finish().length;
    return executor.updatesUnderWay.enter(size, (over) => {
      if (this.isKnown(executor)) statuses.take(update, { taken, over });
      else over();
    });
  }

  /** An executor repeats updates that were not acknowledged to it. Those that cannot be accepted are not acknowledged either. */
  private updateAgain(executor: Executor, status: TaskStatus): void {
    try {
      void this.update(executor, status);
    } catch (error) {
      if (!isTepuiError(error) || error.code !== "TEPUI_EXECUTOR_BUSY") throw error;
      const { complaints, logger } = this.options;
      const say = complaints.about(executor.containerId.value ?? "", error.code);
      if (say !== undefined)
        logger.warn({ ...say, executor: executor.id }, "not taking all updates that an executor repeats");
    }
  }

  /** The executor may have ended while the update was waiting. */
  private isKnown(executor: Executor): boolean {
    return this.options.state.executor(executor.ids.frameworkId, executor.id) === executor;
  }

  /** Drops tasks that were being delivered when the agent or the connection died, and that the executor never received. */
  private dropUnknown(framework: Framework, executor: Executor, unacknowledged: readonly TaskInfo[]): void {
    const known = new Set(unacknowledged.map(({ task_id }) => task_id?.value));
    for (const [taskId, task] of [...executor.launched]) {
      if (task.state !== TaskState.TASK_STAGING || known.has(taskId)) continue;
      this.options.statuses.report({
        frameworkId: framework.id,
        taskId,
        executorId: executor.id,
        state: dropped(framework),
        source: Source.SOURCE_AGENT,
        reason: Reason.REASON_AGENT_RESTARTED,
        message: "Task launched during agent restart",
      });
    }
  }

  /**
   * Bytes for the scheduler. If it returns a promise, they are sent when enough earlier messages have left.
   *
   * @throws TepuiError TEPUI_EXECUTOR_BUSY
   */
  message(framework: Framework, executor: Executor, data: Buffer): Promise<void> | undefined {
    const body = ExecutorToFrameworkMessage.encode({
      slave_id: { value: executor.ids.agentId },
      framework_id: { value: framework.id },
      executor_id: { value: executor.id },
      data,
    }).finish();
    const message = { name: "mesos.internal.ExecutorToFrameworkMessage", body };
    return executor.messagesUnderWay.enter(body.length, (left) => {
      const room = this.passOn(framework, message);
      if (room === undefined) left();
      else void room.then(left);
    });
  }

  /** A promise: so much is queued for this address that the sender should wait for it. */
  private passOn(framework: Framework, message: NamedMessage): Promise<void> | undefined {
    const { metrics, sendTo, room } = this.options;
    const master = this.options.master();
    if (master === undefined || framework.terminating) {
      metrics.invalidFrameworkMessages.inc();
      return undefined;
    }
    const to = framework.pid ?? master;
    sendTo(to, message);
    metrics.validFrameworkMessages.inc();
    return room(to);
  }

  private find(call: Call, claims?: ExecutorClaims): { framework: Framework; executor: Executor } {
    const framework = this.options.state.frameworks.get(call.framework_id?.value ?? "");
    if (framework === undefined) throw new TepuiError("TEPUI_EXECUTOR_FRAMEWORK_UNKNOWN");
    const executor = framework.running.get(call.executor_id?.value ?? "");
    if (executor === undefined || executor.isCommand || executor.isPod)
      throw new TepuiError("TEPUI_EXECUTOR_UNKNOWN");
    const problem = claims === undefined ? undefined : claimsProblem(claims, executor.ids);
    if (problem !== undefined) throw new TepuiError("TEPUI_EXECUTOR_CLAIMS_WRONG", { detail: problem });
    return { framework, executor };
  }

  /**
   * Such updates are accepted during recovery. Mesos's agent accepts none before it has waited for all executors; but Mesos's own executors
   * do not repeat an update that was refused, so the end of their task would be lost.
   */
  private isUpdateOfOneThatIsBack({ type, framework_id, executor_id }: Call): boolean {
    const framework = this.options.state.frameworks.get(framework_id?.value ?? "");
    return type === Call_Type.UPDATE && framework?.running.get(executor_id?.value ?? "")?.state === "running";
  }

  private persist(done: Promise<void>): void {
    done.catch((error: unknown) =>
      this.options.logger.error({ err: error }, "the agent's state could not be written down"),
    );
  }
}
