import { Call, Call_Type, type Event, Event_Type } from "../../proto/gen/mesos/v1/executor/executor.js";
import { TaskStatus, TaskStatus_Source } from "../../proto/gen/mesos/v1/mesos.js";
import { ClientLife } from "../client/client-life.js";
import {
  CallRefusedError,
  NotSubscribedError,
  UnavailableError,
  UnreachableError,
} from "../client/errors.js";
import type { EventHandler } from "../client/event-hub.js";
import { asBuffer, type IdInput, idOf, type PartialMessage } from "../client/partial.js";
import type { Clock, Timer } from "../contracts/clock.js";
import type { Random } from "../contracts/random.js";
import { SystemClock } from "../contracts/system-clock.js";
import { SystemRandom } from "../contracts/system-random.js";
import { messageOf } from "../errors/tepui-error.js";
import type { MessageFormat } from "../http/message-format.js";
import { pause } from "../time/index.js";
import { type ExecutorEnvironment, executorEnvironment } from "./environment.js";
import { ExecutorRefusedError } from "./errors.js";
import { type ExecutorEvent, type ExecutorEventOf, executorEvent } from "./events.js";
import { type ExecutorStream, type ExecutorTransport, HttpExecutorTransport } from "./transport.js";
import { Unacknowledged } from "./unacknowledged.js";

/** Keeps the connection known to what lies between; Mesos's interval. */
const HEARTBEAT_INTERVAL_MS = 30 * 60 * 1000;

export interface ExecutorClientOptions {
  /** Default: read from the process's `MESOS_*` variables, of which the authentication token is then removed. */
  readonly environment?: ExecutorEnvironment;
  /** Default `protobuf`. */
  readonly contentType?: MessageFormat;
  readonly transport?: ExecutorTransport;
  /** What ends the process when the grace period after SHUTDOWN is over. Default `process.exit`. */
  readonly exit?: (code: number) => void;
  /** Default: the machine's. */
  readonly clock?: Clock;
  readonly random?: Random;
}

/** A status update; the client adds uuid, timestamp, source and executor. */
export type StatusInput = Omit<PartialMessage<TaskStatus>, "task_id" | "uuid"> & {
  readonly task_id: IdInput;
  readonly state: NonNullable<TaskStatus["state"]>;
};

/**
 * A custom executor's side of the executor API.
 *
 *     const client = new ExecutorClient();
 *     client.on("launch", ({ task }) => client.update({ task_id: task.task_id, state: TaskState.TASK_RUNNING }));
 *     await client.start();
 *     await client.finished;
 *
 * An executor of a checkpointing framework outlives its agent: the client subscribes again and hands over what was not acknowledged. Any
 * other is shut down when the agent is gone.
 */
export class ExecutorClient implements AsyncDisposable {
  readonly environment: ExecutorEnvironment;
  /** Resolves when the executor was shut down or closed; rejects with what ended it otherwise. */
  readonly finished: Promise<void>;

  private readonly clock: Clock;
  private readonly random: Random;
  private readonly transport: ExecutorTransport;
  private readonly exit: (code: number) => void;
  private readonly life = new ClientLife<ExecutorEvent>({
    run: () => this.run(),
    ended: () => this.ended(),
  });
  private readonly pending = new Unacknowledged();
  private stream: ExecutorStream | undefined;
  private subscribed = false;
  private graceTimer: Timer | undefined;

  /** @throws TepuiError TEPUI_EXECUTOR_ENVIRONMENT when it was not started by an agent */
  constructor(options: ExecutorClientOptions = {}) {
    this.environment = options.environment ?? executorEnvironment();
    // Not for the tasks, which inherit the environment.
    if (options.environment === undefined) delete process.env.MESOS_EXECUTOR_AUTHENTICATION_TOKEN;
    this.clock = options.clock ?? new SystemClock();
    this.random = options.random ?? new SystemRandom();
    this.exit = options.exit ?? ((code) => process.exit(code));
    this.transport =
      options.transport ?? new HttpExecutorTransport(this.environment, options.contentType ?? "protobuf");
    this.finished = this.life.finished;
  }

  /** Calls `handler` for every event of the type, in order. An error that it throws ends the client. Returns the undo. */
  on<T extends ExecutorEvent["type"]>(type: T, handler: EventHandler<ExecutorEventOf<T>>): () => void {
    return this.life.on(type, handler as EventHandler<ExecutorEvent>);
  }

  /** Every event from now on; starts the client. */
  events(): AsyncIterableIterator<ExecutorEvent> {
    return this.life.events();
  }

  /** Subscribes. Resolves at the first subscription; rejects with what ended the client before. */
  start(): Promise<void> {
    return this.life.start();
  }

  /**
   * Reports a task's state. Resolves when the agent has acknowledged it, however often the connection breaks until then; rejects when the
   * agent refuses it or the client ends first.
   */
  update(input: StatusInput): Promise<void> {
    const { task_id, ...rest } = input;
    const status = TaskStatus.fromPartial({
      executor_id: { value: this.environment.executorId },
      ...rest,
    } as TaskStatus);
    status.task_id = idOf(task_id);
    status.uuid = Buffer.from(this.random.bytes(16));
    status.timestamp ??= this.clock.now() / 1000;
    status.source = TaskStatus_Source.SOURCE_EXECUTOR;
    if (this.life.ending.signal.aborted)
      return Promise.reject(new NotSubscribedError("the client is closed"));
    const acknowledged = this.pending.addUpdate(status);
    acknowledged.catch(() => undefined);
    this.flush();
    return acknowledged;
  }

  /** Sends bytes to the scheduler, at most once. */
  message(data: Uint8Array): Promise<void> {
    const sent = this.transmit({ type: Call_Type.MESSAGE, message: { data: asBuffer(data) } });
    sent.catch(() => undefined);
    return sent;
  }

  /** Ends the client; the agent takes the executor for lost unless the process exits. */
  async close(): Promise<void> {
    this.start().catch(() => undefined);
    this.life.ending.abort();
    await this.finished.catch(() => undefined);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  private async run(): Promise<void> {
    const { checkpoint, recoveryTimeout, subscriptionBackoffMax } = this.environment;
    const { signal } = this.life.ending;
    let lost: number | undefined;
    while (!signal.aborted) {
      const reason = await this.attempt();
      if (signal.aborted) break;
      if (this.subscribed) {
        this.subscribed = false;
        lost = undefined;
        void this.life.emit({ type: "disconnected", reason: messageOf(reason) });
      }
      lost ??= this.clock.monotonic();
      const recovering = reason instanceof UnavailableError;
      if (
        !recovering &&
        (!checkpoint || !this.life.known || this.clock.monotonic() - lost >= recoveryTimeout)
      ) {
        if (!this.life.known) throw reason;
        this.shutDown();
        await pause(this.clock, Number.MAX_SAFE_INTEGER, signal);
        break;
      }
      await pause(this.clock, this.random.next() * subscriptionBackoffMax, signal);
    }
  }

  /** One subscription from its beginning to its end, which it returns. Throws what makes another attempt pointless. */
  private async attempt(): Promise<unknown> {
    const { signal } = this.life.ending;
    const heartbeat = this.clock.setInterval(() => this.heartbeat(), HEARTBEAT_INTERVAL_MS);
    try {
      const subscribe = this.pending.snapshot();
      const call = this.call({ type: Call_Type.SUBSCRIBE });
      call.subscribe = subscribe;
      this.stream = await this.transport.subscribe({ call, signal });
      for await (const event of this.stream.events) {
        if (event.type === Event_Type.ERROR) throw new ExecutorRefusedError(event.error?.message ?? "");
        this.receive(event);
        if (this.life.behind) await this.life.ready(signal);
        if (signal.aborted) break;
      }
      return new UnreachableError("the agent ended the stream");
    } catch (error) {
      if (signal.aborted || error instanceof UnreachableError || error instanceof UnavailableError)
        return error;
      throw error;
    } finally {
      heartbeat.cancel();
      const { stream } = this;
      this.stream = undefined;
      // Calls that hang on a dead connection must not hold up the next one; what becomes of them, their callers learn.
      void stream?.close().catch(() => undefined);
    }
  }

  private receive(wireEvent: Event): void {
    const event = executorEvent(wireEvent);
    if (event === undefined) return;
    switch (event.type) {
      case "subscribed":
        this.subscribed = true;
        this.life.subscribed();
        this.flush();
        break;
      case "launch":
        this.pending.addTask(event.task);
        break;
      case "launch_group":
        for (const task of event.task_group.tasks) this.pending.addTask(task);
        break;
      case "acknowledged":
        this.pending.acknowledge(event.task_id.value ?? "", event.uuid);
        break;
      case "shutdown":
        this.shutDown();
        return;
      default:
    }
    void this.life.emit(event);
  }

  /** Lets the handlers end what runs, and the agent acknowledge it, within the grace period. */
  private shutDown(): void {
    if (this.graceTimer !== undefined) return;
    this.graceTimer = this.clock.setTimeout(() => this.exit(1), this.environment.shutdownGracePeriod);
    void this.life
      .emit({ type: "shutdown" })
      .then(() => this.pending.drained())
      .then(() => this.life.ending.abort());
  }

  /** Sends the updates that wait, when it can. Those that get lost go into the next SUBSCRIBE. */
  private flush(): void {
    if (!this.subscribed) return;
    for (const status of this.pending.takeUnsent()) {
      void this.transmit({ type: Call_Type.UPDATE, update: { status } }).catch((error: unknown) => {
        if (error instanceof CallRefusedError) this.pending.refuse(status, error);
      });
    }
  }

  private heartbeat(): void {
    // The stream itself shows a broken connection.
    if (this.subscribed) void this.transmit({ type: Call_Type.HEARTBEAT }).catch(() => undefined);
  }

  private async transmit(partial: PartialMessage<Call>): Promise<void> {
    const { stream } = this;
    if (stream === undefined || !this.subscribed)
      throw new NotSubscribedError("the executor is not subscribed now");
    await stream.send(this.call(partial));
  }

  private call(partial: PartialMessage<Call>): Call {
    const { executorId, frameworkId } = this.environment;
    const call = Call.fromPartial(partial as Call);
    call.executor_id = { value: executorId };
    call.framework_id = { value: frameworkId };
    return call;
  }

  private ended(): void {
    this.subscribed = false;
    this.graceTimer?.cancel();
    this.pending.abandon(new NotSubscribedError("the client ended before the agent acknowledged the update"));
  }
}
