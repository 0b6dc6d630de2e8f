import {
  AcknowledgeOperationStatusMessage,
  ApplyOperationMessage,
  CheckpointResourcesMessage,
  DrainSlaveMessage,
  FrameworkToExecutorMessage,
  KillTaskMessage,
  PingSlaveMessage,
  ReconcileOperationsMessage,
  ResourceVersionUUID,
  RunTaskGroupMessage,
  ShutdownExecutorMessage,
  ShutdownFrameworkMessage,
  ShutdownMessage,
  SlaveRegisteredMessage,
  SlaveReregisteredMessage,
  StatusUpdateAcknowledgementMessage,
  UpdateFrameworkMessage,
} from "../../../proto/gen/mesos/internal/messages.js";
import {
  AgentInfo_Capability_Type as Capability,
  type FrameworkInfo,
  TaskInfo,
} from "../../../proto/gen/mesos/v1/mesos.js";
import { BinaryWriter } from "../../../proto/wire/index.js";
import type { MessageTransport } from "../../../sdk/contracts/message-transport.js";
import { MASTER_ACTOR, NO_PID } from "../constants.js";
import type { Framework } from "../frameworks/framework.js";
import type { Agent } from "./agent.js";

/** Encodes one message type. */
interface Encoder<T> {
  encode(message: T, writer: BinaryWriter): BinaryWriter;
}

const PINGS = {
  connected: PingSlaveMessage.encode({ connected: true }).finish(),
  disconnected: PingSlaveMessage.encode({ connected: false }).finish(),
};

// Field tags (number << 3 | 2, length-delimited) of RunTaskMessage.
const RUN_TASK_FRAMEWORK = (2 << 3) | 2;
const RUN_TASK_PID = (3 << 3) | 2;
const RUN_TASK_TASK = (4 << 3) | 2;
const RUN_TASK_RESOURCE_VERSIONS = (5 << 3) | 2;
const RUN_TASK_LAUNCH_EXECUTOR = 6 << 3;

/** The messages that the master sends to agents, in Mesos's wire format. */
export class AgentMessages {
  /** Shared by all messages: it keeps its buffer, which a writer per message would have to allocate again. */
  private writer = new BinaryWriter();
  private readonly frameworkUpdates = new WeakMap<
    Framework,
    { readonly info: FrameworkInfo; readonly pid: string; readonly body: Uint8Array }
  >();

  constructor(private readonly transport: MessageTransport) {}

  /** Written field by field: the framework's info is encoded once for all of its tasks. */
  runTask(agent: Agent, framework: Framework, run: { task: TaskInfo; launchExecutor: boolean }): void {
    const encode = (_: undefined, writer: BinaryWriter) => writeRunTask(writer, { agent, framework, ...run });
    this.post(agent.pid, "mesos.internal.RunTaskMessage", this.encode({ encode }, undefined));
  }

  runTaskGroup(agent: Agent, message: Omit<RunTaskGroupMessage, "resource_version_uuids">): void {
    const resource_version_uuids = resourceVersions(agent);
    this.send(agent, "RunTaskGroupMessage", RunTaskGroupMessage, { ...message, resource_version_uuids });
  }

  killTask(agent: Agent, message: KillTaskMessage): void {
    this.send(agent, "KillTaskMessage", KillTaskMessage, message);
  }

  shutdownExecutor(agent: Agent, message: ShutdownExecutorMessage): void {
    this.send(agent, "ShutdownExecutorMessage", ShutdownExecutorMessage, message);
  }

  frameworkToExecutor(agent: Agent, message: FrameworkToExecutorMessage): void {
    this.send(agent, "FrameworkToExecutorMessage", FrameworkToExecutorMessage, message);
  }

  acknowledge(agent: Agent, message: StatusUpdateAcknowledgementMessage): void {
    this.send(agent, "StatusUpdateAcknowledgementMessage", StatusUpdateAcknowledgementMessage, message);
  }

  applyOperation(agent: Agent, message: ApplyOperationMessage): void {
    this.send(agent, "ApplyOperationMessage", ApplyOperationMessage, message);
  }

  acknowledgeOperation(agent: Agent, message: AcknowledgeOperationStatusMessage): void {
    this.send(agent, "AcknowledgeOperationStatusMessage", AcknowledgeOperationStatusMessage, message);
  }

  reconcileOperations(agent: Agent, message: Omit<ReconcileOperationsMessage, "framework_id">): void {
    this.send(agent, "ReconcileOperationsMessage", ReconcileOperationsMessage, message);
  }

  /** All reservations and volumes of the agent. An agent that does not know refined reservations cannot read them. */
  checkpointResources(agent: Agent): void {
    const refinement = agent.can(Capability.RESERVATION_REFINEMENT);
    const { checkpointed } = agent;
    if (!refinement && checkpointed.entries.some(({ kind }) => kind.reservations.length > 1)) return;
    const resources = checkpointed.toMessages(refinement ? "post-refinement" : "pre-refinement");
    this.send(agent, "CheckpointResourcesMessage", CheckpointResourcesMessage, { resources });
  }

  shutdownFramework(agents: Iterable<Agent>, frameworkId: string): void {
    const body = this.encode(ShutdownFrameworkMessage, { framework_id: { value: frameworkId } });
    for (const { pid } of agents) this.post(pid, "mesos.internal.ShutdownFrameworkMessage", body);
  }

  updateFramework(agents: Iterable<Agent>, framework: Framework): void {
    const body = this.frameworkUpdate(framework);
    for (const { pid } of agents) this.post(pid, "mesos.internal.UpdateFrameworkMessage", body);
  }

  /** Encoded once: every agent that comes back is sent each framework that it reported. */
  private frameworkUpdate(framework: Framework): Uint8Array {
    const { info, pid = NO_PID } = framework;
    const known = this.frameworkUpdates.get(framework);
    if (known !== undefined && known.info === info && known.pid === pid) return known.body;
    const message = { framework_id: framework.idMessage, pid, framework_info: info };
    const body = this.encode(UpdateFrameworkMessage, message);
    this.frameworkUpdates.set(framework, { info, pid, body });
    return body;
  }

  drain(agent: Agent, message: DrainSlaveMessage): void {
    this.send(agent, "DrainSlaveMessage", DrainSlaveMessage, message);
  }

  registered(agent: Agent, message: SlaveRegisteredMessage): void {
    this.send(agent, "SlaveRegisteredMessage", SlaveRegisteredMessage, message);
  }

  reregistered(agent: Agent, message: SlaveReregisteredMessage): void {
    this.send(agent, "SlaveReregisteredMessage", SlaveReregisteredMessage, message);
  }

  /** Tells an agent process to shut down, registered or not. */
  shutdown(pid: string, message: string): void {
    this.post(pid, "mesos.internal.ShutdownMessage", this.encode(ShutdownMessage, { message }));
  }

  /** @param observer the actor that the agent answers */
  ping(agent: Agent, observer: string): void {
    const body = agent.connected ? PINGS.connected : PINGS.disconnected;
    this.transport.send(agent.pid, { from: observer, name: "mesos.internal.PingSlaveMessage", body });
  }

  private send<T>(agent: Agent, name: string, codec: Encoder<T>, message: T): void {
    this.post(agent.pid, `mesos.internal.${name}`, this.encode(codec, message));
  }

  private encode<T>(codec: Encoder<T>, message: T): Uint8Array {
    try {
      return codec.encode(message, this.writer).finish();
    } catch (error) {
      // A partial message must not end up in front of the next one.
      this.writer = new BinaryWriter();
      throw error;
    }
  }

  private post(to: string, name: string, body: Uint8Array): void {
    this.transport.send(to, { from: MASTER_ACTOR, name, body });
  }
}

interface RunTask {
  readonly agent: Agent;
  readonly framework: Framework;
  readonly task: TaskInfo;
  readonly launchExecutor: boolean;
}

function writeRunTask(
  writer: BinaryWriter,
  { agent, framework, task, launchExecutor }: RunTask,
): BinaryWriter {
  writer.uint32(RUN_TASK_FRAMEWORK).bytes(framework.encodedInfo);
  writer.uint32(RUN_TASK_PID).string(framework.pid ?? NO_PID);
  TaskInfo.encode(task, writer.uint32(RUN_TASK_TASK).fork()).join();
  for (const version of resourceVersions(agent)) {
    ResourceVersionUUID.encode(version, writer.uint32(RUN_TASK_RESOURCE_VERSIONS).fork()).join();
  }
  return writer.uint32(RUN_TASK_LAUNCH_EXECUTOR).bool(launchExecutor);
}

/** Those of the agent's own resources and of each of its resource providers. */
function resourceVersions({ resourceVersion, providers }: Agent): ResourceVersionUUID[] {
  const versions: ResourceVersionUUID[] = resourceVersion === undefined ? [] : [{ uuid: resourceVersion }];
  for (const [value, uuid] of providers) {
    if (uuid !== undefined) versions.push({ resource_provider_id: { value }, uuid });
  }
  return versions;
}
