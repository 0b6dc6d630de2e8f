import {
  ExecutorRegisteredMessage,
  ExecutorToFrameworkMessage,
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
import { type Call, type Event, Event_Type } from "../../proto/gen/mesos/v1/executor/executor.js";
import type { TaskInfo, TaskStatus } from "../../proto/gen/mesos/v1/mesos.js";
import type { ContainerRequest } from "../../sdk/contracts/containerizer.js";
import type { InboundMessage } from "../../sdk/contracts/message-transport.js";
import type { AgentNode } from "./agent-node.js";
import { type MessageNetwork, SimulatedTransport } from "./message-network.js";
import type { SimulatedProcess } from "./process.js";

const ACTOR = "executor(1)";

export interface DriverLineOptions {
  readonly messages: MessageNetwork;
  readonly process: SimulatedProcess;
  readonly agent: AgentNode;
  readonly request: ContainerRequest;
  readonly port: number;
  /** What the agent has not acknowledged to its executor. */
  readonly unsafe: () => { readonly tasks: readonly TaskInfo[]; readonly updates: readonly TaskStatus[] };
  readonly event: (event: Event) => void;
  /** The agent is gone. It will contact the driver when it is back. */
  readonly closed: () => void;
}

/**
 * The v0 driver of an executor: it registers once, and again only when the agent asks it to; sends each update once, and all unacknowledged
 * ones again when it re-registers; receives nothing while it is not registered.
 */
export class DriverLine {
  private readonly transport: SimulatedTransport;
  private agentId = "";
  private agentPid: string;
  private registered = false;
  private unlink: (() => void) | undefined;

  constructor(private readonly options: DriverLineOptions) {
    const { messages, process, agent, port } = options;
    this.transport = new SimulatedTransport(messages, process, `${agent.ip}:${port}`);
    this.transport.receive(ACTOR, (message) => this.receive(message));
    this.agentPid = `slave(1)@${agent.endpoint}`;
  }

  open(): void {
    this.link();
    const { executorId, frameworkId } = this.options.request;
    const ids = { executor_id: { value: executorId }, framework_id: { value: frameworkId } };
    this.send("RegisterExecutorMessage", RegisterExecutorMessage.encode(ids).finish());
  }

  call({ update, message }: Call): void {
    if (update?.status !== undefined) {
      const body = StatusUpdateMessage.encode({
        update: this.updateOf(update.status),
        pid: this.pid,
      }).finish();
      this.send("StatusUpdateMessage", body);
    }
    if (message?.data !== undefined) {
      const { executorId, frameworkId } = this.options.request;
      const body = ExecutorToFrameworkMessage.encode({
        slave_id: { value: this.agentId },
        framework_id: { value: frameworkId },
        executor_id: { value: executorId },
        data: message.data,
      }).finish();
      this.send("ExecutorToFrameworkMessage", body);
    }
  }

  /** Somebody else sends an update in the executor's name. It must not be believed. */
  pretend(status: TaskStatus): void {
    const stranger = "executor(2)";
    const update = this.updateOf(status);
    const said = StatusUpdateMessage.encode({ update, pid: this.pid }).finish();
    this.transport.send(this.agentPid, {
      from: stranger,
      name: "mesos.internal.StatusUpdateMessage",
      body: said,
    });
    const { executorId, frameworkId } = this.options.request;
    const ids = { executor_id: { value: executorId }, framework_id: { value: frameworkId } };
    const name = "mesos.internal.RegisterExecutorMessage";
    this.transport.send(this.agentPid, {
      from: stranger,
      name,
      body: RegisterExecutorMessage.encode(ids).finish(),
    });
  }

  /** Its process is gone. */
  die(): void {
    this.options.messages.detach(this.transport);
  }

  private get pid(): string {
    return this.transport.address(ACTOR);
  }

  private link(): void {
    this.unlink?.();
    this.unlink = this.transport.link(this.agentPid, () => {
      this.unlink = undefined;
      this.registered = false;
      this.options.closed();
    });
  }

  private send(name: string, body: Uint8Array): void {
    this.transport.send(this.agentPid, { from: ACTOR, name: `mesos.internal.${name}`, body });
  }

  private updateOf(status: TaskStatus): StatusUpdate {
    const { executorId, frameworkId } = this.options.request;
    const agentId = { value: this.agentId };
    return {
      framework_id: { value: frameworkId },
      executor_id: { value: executorId },
      slave_id: agentId,
      status: { ...status, agent_id: agentId },
      timestamp: 1,
      uuid: status.uuid,
    };
  }

  private receive({ from, name, body }: InboundMessage): void {
    const kind = name.replace("mesos.internal.", "");
    if (kind === "ReconnectExecutorMessage")
      this.reregister(from, ReconnectExecutorMessage.decode(body).slave_id?.value);
    else if (kind === "ShutdownExecutorMessage") this.options.event({ type: Event_Type.SHUTDOWN });
    else if (kind === "ExecutorRegisteredMessage" || kind === "ExecutorReregisteredMessage")
      this.isRegistered(kind, body);
    else if (this.registered) this.hear(kind, body);
  }

  private reregister(from: string, agentId = ""): void {
    const { executorId, frameworkId } = this.options.request;
    this.agentPid = from;
    this.agentId = agentId;
    this.link();
    const { tasks, updates } = this.options.unsafe();
    const body = ReregisterExecutorMessage.encode({
      executor_id: { value: executorId },
      framework_id: { value: frameworkId },
      tasks: [...tasks],
      updates: updates.map((status) => this.updateOf(status)),
    }).finish();
    this.send("ReregisterExecutorMessage", body);
  }

  private isRegistered(kind: string, body: Uint8Array): void {
    if (kind === "ExecutorRegisteredMessage")
      this.agentId = ExecutorRegisteredMessage.decode(body).slave_id?.value ?? "";
    this.registered = true;
    this.options.event({
      type: Event_Type.SUBSCRIBED,
      subscribed: {
        executor_info: undefined,
        framework_info: undefined,
        agent_info: undefined,
        container_id: this.options.request.containerId,
      },
    });
  }

  private hear(kind: string, body: Uint8Array): void {
    const { event } = this.options;
    if (kind === "RunTaskMessage")
      event({ type: Event_Type.LAUNCH, launch: { task: RunTaskMessage.decode(body).task } });
    else if (kind === "KillTaskMessage")
      event({ type: Event_Type.KILL, kill: { task_id: KillTaskMessage.decode(body).task_id } });
    else if (kind === "StatusUpdateAcknowledgementMessage") {
      const { task_id, uuid } = StatusUpdateAcknowledgementMessage.decode(body);
      event({ type: Event_Type.ACKNOWLEDGED, acknowledged: { task_id, uuid } });
    } else if (kind === "FrameworkToExecutorMessage")
      event({ type: Event_Type.MESSAGE, message: { data: FrameworkToExecutorMessage.decode(body).data } });
  }
}
