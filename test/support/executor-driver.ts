import { OnePortServer } from "../../plugins/http-server/server.js";
import { LibprocessTransport } from "../../plugins/libprocess-transport/transport.js";
import {
  ExecutorRegisteredMessage,
  FrameworkToExecutorMessage,
  KillTaskMessage,
  ReconnectExecutorMessage,
  RegisterExecutorMessage,
  ReregisterExecutorMessage,
  RunTaskMessage,
  type StatusUpdate,
  StatusUpdateAcknowledgementMessage,
  StatusUpdateMessage,
} from "../../proto/gen/mesos/internal/messages.js";
import type { TaskInfo, TaskState } from "../../proto/gen/mesos/v1/mesos.js";
import type { InboundMessage } from "../../sdk/contracts/message-transport.js";
import { SystemClock } from "../../sdk/contracts/system-clock.js";
import { SystemRandom } from "../../sdk/contracts/system-random.js";
import { MemoryLogger } from "../../sdk/testing/memory-logger.js";
import { parseDuration } from "../../sdk/values/index.js";
import { TEST_SETTINGS } from "../plugins/http-server/support.js";

const ACTOR = "executor(1)";

export interface DriverHandlers {
  launch(task: TaskInfo): void;
  kill(taskId: string): void;
  message(data: Buffer): void;
  /** Asked to end, or left alone by its agent for too long. */
  shutdown(): void;
}

/**
 * The driver of a v0 executor: speaks libprocess with the agent that started this process, and keeps what the agent did not acknowledge
 * for the next time that it asks for it.
 */
export class ExecutorDriver {
  private readonly clock = new SystemClock();
  private readonly random = new SystemRandom();
  private readonly server: OnePortServer;
  private readonly transport: LibprocessTransport;
  private readonly framework_id = { value: process.env.MESOS_FRAMEWORK_ID! };
  private readonly executor_id = { value: process.env.MESOS_EXECUTOR_ID! };
  private readonly slave_id = { value: process.env.MESOS_SLAVE_ID! };
  private agent = process.env.MESOS_SLAVE_PID!;
  private connected = false;
  private unlink = (): void => undefined;
  private readonly updates = new Map<string, StatusUpdate>();
  private readonly tasks = new Map<string, TaskInfo>();

  constructor(private readonly handlers: DriverHandlers) {
    const { clock } = this;
    const logger = new MemoryLogger();
    this.server = new OnePortServer({ ...TEST_SETTINGS, processId: ACTOR }, { clock, logger });
    this.transport = new LibprocessTransport(
      {
        maxMessageBytes: 16 * 1024 * 1024,
        maxQueuedBytes: 64 * 1024 * 1024,
        idleTimeout: 600_000,
        requirePeerAddressIpMatch: false,
      },
      { server: this.server, clock, logger },
    );
  }

  get unacknowledged(): number {
    return this.updates.size;
  }

  async start(): Promise<void> {
    await this.server.start();
    this.transport.start();
    this.transport.receive(ACTOR, (message) => this.receive(message));
    this.link();
    const { framework_id, executor_id } = this;
    this.send(
      "RegisterExecutorMessage",
      RegisterExecutorMessage.encode({ framework_id, executor_id }).finish(),
    );
  }

  update(taskId: string, state: TaskState, message?: string): void {
    const { framework_id, executor_id, slave_id } = this;
    const uuid = Buffer.from(this.random.bytes(16));
    const timestamp = this.clock.now() / 1000;
    const task_id = { value: taskId };
    const status = {
      task_id,
      state,
      agent_id: slave_id,
      timestamp,
      uuid,
      ...(message !== undefined && { message }),
    };
    const update: StatusUpdate = { framework_id, executor_id, slave_id, status, timestamp, uuid };
    this.updates.set(uuid.toString("hex"), update);
    this.send(
      "StatusUpdateMessage",
      StatusUpdateMessage.encode({ update, pid: this.transport.address(ACTOR) }).finish(),
    );
  }

  private receive({ from, name, body }: InboundMessage): void {
    switch (name.replace("mesos.internal.", "")) {
      case "ExecutorRegisteredMessage":
        ExecutorRegisteredMessage.decode(body);
        this.connected = true;
        break;
      case "ExecutorReregisteredMessage":
        this.connected = true;
        break;
      case "ReconnectExecutorMessage":
        ReconnectExecutorMessage.decode(body);
        this.reconnect(from);
        break;
      case "RunTaskMessage":
        this.run(RunTaskMessage.decode(body).task!);
        break;
      case "KillTaskMessage":
        this.handlers.kill(KillTaskMessage.decode(body).task_id!.value!);
        break;
      case "StatusUpdateAcknowledgementMessage":
        this.acknowledged(StatusUpdateAcknowledgementMessage.decode(body));
        break;
      case "FrameworkToExecutorMessage":
        this.handlers.message(Buffer.from(FrameworkToExecutorMessage.decode(body).data!));
        break;
      case "ShutdownExecutorMessage":
        this.handlers.shutdown();
        break;
      default:
        throw new Error(`'${name}' is no message for an executor`);
    }
  }

  private run(task: TaskInfo): void {
    // As the driver of Mesos: not to be run while the agent is not known to listen.
    if (!this.connected) return;
    this.tasks.set(task.task_id!.value!, task);
    this.handlers.launch(task);
  }

  private acknowledged({
    task_id,
    uuid,
  }: {
    task_id?: { value?: string | undefined } | undefined;
    uuid?: Buffer | undefined;
  }): void {
    this.updates.delete(uuid!.toString("hex"));
    this.tasks.delete(task_id!.value!);
  }

  /** An agent that was started again asks for it. */
  private reconnect(agent: string): void {
    const { framework_id, executor_id } = this;
    this.agent = agent;
    this.unlink();
    this.link();
    const message = {
      framework_id,
      executor_id,
      tasks: [...this.tasks.values()],
      updates: [...this.updates.values()],
    };
    this.send("ReregisterExecutorMessage", ReregisterExecutorMessage.encode(message).finish());
  }

  private link(): void {
    this.unlink = this.transport.link(this.agent, () => this.exited());
  }

  private exited(): void {
    const waits = process.env.MESOS_CHECKPOINT === "1" && this.connected;
    this.connected = false;
    const timeout = waits ? parseDuration(process.env.MESOS_RECOVERY_TIMEOUT ?? "15mins") : 0;
    this.clock.setTimeout(() => {
      if (!this.connected) this.handlers.shutdown();
    }, timeout);
  }

  private send(name: string, body: Uint8Array): void {
    this.transport.send(this.agent, { from: ACTOR, name: `mesos.internal.${name}`, body });
  }
}
