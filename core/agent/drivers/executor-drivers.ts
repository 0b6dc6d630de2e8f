import {
  type ExecutorToFrameworkMessage,
  ReconnectExecutorMessage,
  type RegisterExecutorMessage,
  type ReregisterExecutorMessage,
  ShutdownExecutorMessage,
  type StatusUpdate,
} from "../../../proto/gen/mesos/internal/messages.js";
import type { TaskStatus } from "../../../proto/gen/mesos/v1/mesos.js";
import type { Clock } from "../../../sdk/contracts/clock.js";
import type { Logger } from "../../../sdk/contracts/logger.js";
import { isTepuiError } from "../../../sdk/errors/index.js";
import type { AgentState } from "../agent-state.js";
import type { Checkpoints } from "../checkpoint.js";
import type { Disk } from "../disk/operations.js";
import type { Executor } from "../executors/executor.js";
import { UUID_BYTES } from "../executors/executor-call-validation.js";
import type { ExecutorCalls } from "../executors/executor-calls.js";
import type { Framework } from "../framework.js";
import type { Complaints } from "../link/complaints.js";
import type { NamedMessage } from "../link/master-link.js";
import type { AgentMetrics } from "../metrics.js";
import { DriverConnection } from "./driver-connection.js";
import type { DriverMessage } from "./driver-messages.js";

export interface ExecutorDriversOptions {
  readonly state: AgentState;
  readonly calls: ExecutorCalls;
  readonly checkpoints: Checkpoints;
  readonly disk: Disk;
  readonly metrics: AgentMetrics;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly complaints: Complaints;
  /** Milliseconds after which an executor that does not answer is asked again to re-register; 0: never. */
  readonly retryInterval: number;
  readonly sendTo: (pid: string, message: NamedMessage) => void;
}

interface Found {
  readonly framework: Framework;
  readonly executor: Executor;
}

/**
 * Executors on the v0 driver, which speak libprocess: gives each a connection like any other executor's.
 *
 * A driver is identified by its address. Anybody else who claims to be an executor that is already connected is told to shut down, and
 * messages that others send in its name are dropped, because nothing else proves identity here.
 */
export class ExecutorDrivers {
  constructor(private readonly options: ExecutorDriversOptions) {}

  /** If it returns a promise, nothing should be read from the sender until it resolves: much of what it sent is still being processed. */
  take(from: string, message: DriverMessage): Promise<void> | undefined {
    try {
      return this.handle(from, message);
    } catch (error) {
      if (!isTepuiError(error) || error.code !== "TEPUI_EXECUTOR_BUSY") throw error;
      this.complain(
        from,
        message.name,
        "dropping a message of an executor that does not wait while it is not heard",
      );
      return undefined;
    }
  }

  private handle(from: string, message: DriverMessage): Promise<void> | undefined {
    switch (message.name) {
      case "RegisterExecutorMessage":
        this.register(from, message.body);
        return undefined;
      case "ReregisterExecutorMessage":
        this.reregister(from, message.body);
        return undefined;
      case "StatusUpdateMessage":
        return this.update(from, message.body.update!);
      case "ExecutorToFrameworkMessage":
        return this.message(from, message.body);
    }
  }

  /** Locates an executor from an earlier run of the agent and asks it to re-register. */
  reconnect(framework: Framework, executor: Executor): void {
    const { state, clock, logger, retryInterval, sendTo } = this.options;
    const { driver } = executor;
    if (driver === undefined) return;
    executor.connection = this.connection(framework, executor, driver);
    if (executor.state !== "registering") return;
    const body = ReconnectExecutorMessage.encode({ slave_id: { value: executor.ids.agentId } }).finish();
    const ask = (): void => sendTo(driver, { name: "mesos.internal.ReconnectExecutorMessage", body });
    ask();
    if (retryInterval === 0) return;
    const timer = clock.setInterval(() => {
      if (state.phase === "recovering" && executor.state === "registering") {
        logger.info({ executor: executor.id }, "asking an executor again to come back");
        ask();
      } else {
        timer.cancel();
        executor.timers.delete(timer);
      }
    }, retryInterval);
    executor.timers.add(timer);
  }

  private register(from: string, message: RegisterExecutorMessage): void {
    const { state, checkpoints, disk, logger } = this.options;
    const found = this.find(message);
    const refusal =
      state.phase === "recovering" ? "the agent has not finished recovery" : this.refusal(found, undefined);
    if (found === undefined || refusal !== undefined) {
      this.refuse(from, message, refusal);
      return;
    }
    const { executor } = found;
    executor.driver = from;
    if (!executor.checkpoint) {
      this.attach(found, from);
      return;
    }
    // Written down first: a registered executor will wait for an agent that knows its address.
    void disk
      .apply(checkpoints.driver(executor, from))
      .catch((error: unknown) =>
        logger.error(
          { err: error, executor: executor.id },
          "an executor's address could not be written down",
        ),
      )
      .then(() => this.attach(found, from));
  }

  private reregister(from: string, message: ReregisterExecutorMessage): void {
    const { logger, retryInterval } = this.options;
    const found = this.find(message);
    if (found?.executor.state === "running" && found.executor.driver === from && retryInterval > 0) {
      logger.info({ executor: found.executor.id }, "an executor answers again to what it was asked again");
      return;
    }
    const refusal = this.refusal(found, from);
    if (found === undefined || refusal !== undefined) {
      this.refuse(from, message, refusal);
      return;
    }
    const unacknowledged = message.updates.flatMap((update) => {
      const status = this.statusOf(update, found.executor);
      return status === undefined ? [] : [{ status }];
    });
    // The driver drops everything until it has been told that it is registered.
    const connection = this.connection(found.framework, found.executor, from);
    connection.reregistered();
    this.options.calls.attach({
      ...found,
      connection,
      subscribe: { unacknowledged_tasks: message.tasks, unacknowledged_updates: unacknowledged },
    });
  }

  private attach(found: Found, from: string): void {
    const connection = this.connection(found.framework, found.executor, from);
    this.options.calls.attach({ ...found, connection, subscribe: undefined });
  }

  private update(from: string, update: StatusUpdate): Promise<void> | undefined {
    const sender = this.sender(from, update.framework_id?.value);
    const status = sender === undefined ? undefined : this.statusOf(update, sender.executor);
    if (sender !== undefined && status !== undefined)
      return this.options.calls.update(sender.executor, status);
    this.complain(from, "update", "ignoring a status update that is not whole, or of no executor here");
    this.options.metrics.invalidStatusUpdates.inc();
    return undefined;
  }

  /** The executor's update in the form of the v1 API; undefined if it cannot be accepted. */
  private statusOf(update: StatusUpdate, executor: Executor): TaskStatus | undefined {
    const { status, uuid, slave_id, executor_id, timestamp } = update;
    const { agentId } = executor.ids;
    if (uuid?.length !== UUID_BYTES || slave_id?.value !== agentId) return undefined;
    if (status?.agent_id?.value !== agentId) return undefined;
    return { ...status, uuid, timestamp, executor_id: executor_id ?? status.executor_id };
  }

  private message(
    from: string,
    { framework_id, executor_id, data }: ExecutorToFrameworkMessage,
  ): Promise<void> | undefined {
    const sender = this.sender(from, framework_id?.value);
    if (sender === undefined || sender.executor.id !== executor_id?.value) {
      this.complain(from, "message", "ignoring a message to a scheduler: it is of no executor here");
      this.options.metrics.invalidFrameworkMessages.inc();
      return undefined;
    }
    return this.options.calls.message(sender.framework, sender.executor, data ?? Buffer.alloc(0));
  }

  /** The executor at an address. As in Mesos, it may send updates for tasks of its framework's other executors. */
  private sender(from: string, frameworkId: string | undefined): Found | undefined {
    const framework = this.options.state.frameworks.get(frameworkId ?? "");
    if (framework === undefined) return undefined;
    for (const executor of framework.running.values())
      if (executor.driver === from) return { framework, executor };
    return undefined;
  }

  private find({ framework_id, executor_id }: RegisterExecutorMessage): Found | undefined {
    const framework = this.options.state.frameworks.get(framework_id?.value ?? "");
    const executor = framework?.running.get(executor_id?.value ?? "");
    return framework === undefined || executor === undefined ? undefined : { framework, executor };
  }

  /**
   * Why a driver may not become this executor; undefined: it may.
   *
   * @param known the address at which the executor is known
   */
  private refusal(found: Found | undefined, known: string | undefined): string | undefined {
    const { phase } = this.options.state;
    if (phase === "terminating" || found?.framework.terminating === true) return "it is to end";
    if (found === undefined || found.executor.isCommand || found.executor.isPod) return "it is not known";
    if (found.executor.state !== "registering") return `it is ${found.executor.state}`;
    return found.executor.driver === known ? undefined : "there is another one";
  }

  private refuse(from: string, { executor_id }: RegisterExecutorMessage, reason = ""): void {
    const { sendTo } = this.options;
    const executor = executor_id?.value;
    this.complain(from, `${reason} ${executor}`, `telling an executor to end that registers: ${reason}`, {
      executor,
    });
    const body = ShutdownExecutorMessage.encode({}).finish();
    sendTo(from, { name: "mesos.internal.ShutdownExecutorMessage", body });
  }

  private complain(from: string, what: string, text: string, facts: object = {}): void {
    const say = this.options.complaints.about(from, what);
    if (say !== undefined) this.options.logger.warn({ ...say, from, ...facts }, text);
  }

  private connection(framework: Framework, executor: Executor, to: string): DriverConnection {
    const { state, sendTo } = this.options;
    return new DriverConnection({
      framework,
      executor,
      agent: () => state.info,
      send: (message) => sendTo(to, message),
    });
  }
}
