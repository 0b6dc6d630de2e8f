import * as codecs from "../../../proto/gen/json/mesos/internal/messages.js";
import {
  ExecutorToFrameworkMessage,
  ExitedExecutorMessage,
  RegisterSlaveMessage,
  ReregisterSlaveMessage,
  type StatusUpdate,
  StatusUpdateMessage,
  UnregisterSlaveMessage,
  UpdateOperationStatusMessage,
  UpdateSlaveMessage,
} from "../../../proto/gen/mesos/internal/messages.js";
import { BinaryReader, MessageMemory } from "../../../proto/wire/index.js";
import type { InboundMessage } from "../../../sdk/contracts/message-transport.js";
import type { MasterContext } from "../context.js";
import { DRIVER_MESSAGES, type DriverRequest } from "../drivers/driver-calls.js";
import type { SchedulerDrivers } from "../drivers/scheduler-drivers.js";
import type { CounterName } from "../metrics/metrics.js";
import type { Operations } from "../operations/operations.js";
import type { StatusUpdates } from "../tasks/status-updates.js";
import type { Agent } from "./agent.js";
import type { AgentRegistration } from "./agent-registration.js";
import type { AgentReregistration } from "./agent-reregistration.js";
import type { AgentUpdates } from "./agent-update.js";
import type { Agents } from "./agents.js";
import { Strangers } from "./strangers.js";

export interface InboxDeps {
  readonly context: MasterContext;
  readonly agents: Agents;
  readonly registration: AgentRegistration;
  readonly reregistration: AgentReregistration;
  readonly updates: AgentUpdates;
  readonly statusUpdates: StatusUpdates;
  readonly operations: Operations;
  readonly drivers: SchedulerDrivers;
}

/** One message type: how to decode and how to handle it. */
interface Route {
  read(body: Uint8Array): unknown;
  handle(from: string, message: never): void;
}

/** Keeps decoder and handler of one type together, which the type of the map cannot express. */
const route = <T>(
  codec: { decode(body: Uint8Array): T },
  handle: (from: string, message: T) => void,
): Route => ({
  read: (body) => codec.decode(body),
  handle,
});

/**
 * Messages that agents, and schedulers on the v0 driver, send to the master. A message that cannot be decoded, or whose sender is not who
 * it claims to be, is dropped and logged (only once in a while per sender).
 */
export class Inbox {
  private readonly strangers: Strangers;
  private readonly memory = new MessageMemory();
  private readonly routes: ReadonlyMap<string, Route>;

  constructor(private readonly deps: InboxDeps) {
    this.strangers = new Strangers(deps.context);
    this.routes = new Map<string, Route>([
      ["mesos.internal.RegisterSlaveMessage", route(RegisterSlaveMessage, this.register)],
      ["mesos.internal.ReregisterSlaveMessage", route({ decode: this.readReregistration }, this.reregister)],
      ["mesos.internal.UnregisterSlaveMessage", route(UnregisterSlaveMessage, this.unregister)],
      ["mesos.internal.UpdateSlaveMessage", route(UpdateSlaveMessage, this.updateAgent)],
      ["mesos.internal.StatusUpdateMessage", route(StatusUpdateMessage, this.statusUpdate)],
      ["mesos.internal.ExitedExecutorMessage", route(ExitedExecutorMessage, this.exitedExecutor)],
      ["mesos.internal.ExecutorToFrameworkMessage", route(ExecutorToFrameworkMessage, this.executorMessage)],
      [
        "mesos.internal.UpdateOperationStatusMessage",
        route(UpdateOperationStatusMessage, this.operationStatus),
      ],
      ...Array.from(DRIVER_MESSAGES, ([name, read]): [string, Route] => [
        name,
        { read, handle: this.driver },
      ]),
    ]);
  }

  receive({ from, name, body }: InboundMessage): void {
    const { logger } = this.deps.context;
    const found = this.routes.get(name);
    if (found === undefined) {
      this.drop(from, `there is no such message: ${name}`);
      return;
    }
    let message: unknown;
    try {
      message = found.read(body);
    } catch (err) {
      this.drop(from, `${name} cannot be read`, err);
      return;
    }
    try {
      found.handle(from, message as never);
    } catch (err) {
      logger.error({ err, from, name }, "A message could not be handled");
    }
  }

  // A registration affects every part of the master, so all fields that the protocol requires must be present.

  private readonly register = (from: string, message: RegisterSlaveMessage): void => {
    const missing = codecs.RegisterSlaveMessage.missingRequired(message);
    if (missing.length > 0) this.drop(from, `RegisterSlaveMessage lacks ${missing.join(", ")}`);
    else void this.deps.registration.register(from, message);
  };

  /** Thousands of agents re-register at once, with the same frameworks and very similar tasks. */
  private readonly readReregistration = (body: Uint8Array): ReregisterSlaveMessage =>
    ReregisterSlaveMessage.decode(new BinaryReader(body, this.memory));

  private readonly reregister = (from: string, message: ReregisterSlaveMessage): void => {
    const missing = codecs.ReregisterSlaveMessage.missingRequired(message);
    if (missing.length > 0) this.drop(from, `ReregisterSlaveMessage lacks ${missing.join(", ")}`);
    else void this.deps.reregistration.reregister(from, message);
  };

  private readonly unregister = (from: string, message: UnregisterSlaveMessage): void => {
    this.count("messages_unregister_slave");
    const agent = this.sender(from, message.slave_id?.value);
    if (agent === undefined) return;
    void this.deps.agents.remove(agent, "the agent unregistered", "slave_removals/reason_unregistered");
  };

  private readonly updateAgent = (from: string, message: UpdateSlaveMessage): void => {
    this.count("messages_update_slave");
    const agent = this.sender(from, message.slave_id?.value);
    if (agent !== undefined) this.deps.updates.update(agent, message);
  };

  private readonly statusUpdate = (from: string, { update }: { update?: StatusUpdate | undefined }): void => {
    this.count("messages_status_update");
    const agent = this.sender(from, update?.slave_id?.value, "invalid_status_updates");
    if (agent !== undefined && update !== undefined) this.deps.statusUpdates.statusUpdate(agent, update);
  };

  private readonly exitedExecutor = (from: string, message: ExitedExecutorMessage): void => {
    this.count("messages_exited_executor");
    const agent = this.sender(from, message.slave_id?.value);
    if (agent !== undefined) this.deps.statusUpdates.exitedExecutor(agent, message);
  };

  private readonly executorMessage = (from: string, message: ExecutorToFrameworkMessage): void => {
    this.count("messages_executor_to_framework");
    const agent = this.sender(from, message.slave_id?.value, "invalid_executor_to_framework_messages");
    if (agent !== undefined) this.deps.statusUpdates.executorMessage(agent, message);
  };

  private readonly operationStatus = (from: string, message: UpdateOperationStatusMessage): void => {
    this.count("messages_operation_status_update");
    const agent = this.sender(from, message.slave_id?.value, "invalid_operation_status_updates");
    if (agent !== undefined) this.deps.operations.update(agent, message);
  };

  private readonly driver = (from: string, request: DriverRequest): void => {
    const problem = this.deps.drivers.take(from, request);
    if (problem !== undefined) this.drop(from, problem);
  };

  /** The registered agent with this id, if it is the sender. */
  private sender(from: string, id: string | undefined, counter?: CounterName): Agent | undefined {
    const { cluster } = this.deps.context;
    const agent = cluster.agents.get(id ?? "");
    if (agent?.pid === from) return agent;
    if (counter !== undefined) this.count(counter);
    const what = cluster.removedAgents.has(id ?? "") ? "removed" : "not registered at this address";
    this.strangers.report(from, `agent ${id} is ${what}`);
    return undefined;
  }

  private drop(from: string, problem: string, err?: unknown): void {
    this.count("dropped_messages");
    this.strangers.report(from, problem, err);
  }

  private count(counter: CounterName): void {
    this.deps.context.metrics.counters[counter].inc();
  }
}
