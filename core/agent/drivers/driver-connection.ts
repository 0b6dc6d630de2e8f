import {
  ExecutorRegisteredMessage,
  ExecutorReregisteredMessage,
  FrameworkToExecutorMessage,
  KillTaskMessage,
  RunTaskMessage,
  ShutdownExecutorMessage,
  StatusUpdateAcknowledgementMessage,
} from "../../../proto/gen/mesos/internal/messages.js";
import { type Event, Event_Type } from "../../../proto/gen/mesos/v1/executor/executor.js";
import type { AgentInfo } from "../../../proto/gen/mesos/v1/mesos.js";
import type { ExecutorConnection } from "../../../sdk/contracts/executor-service.js";
import type { Executor } from "../executors/executor.js";
import type { Framework } from "../framework.js";
import type { NamedMessage } from "../link/master-link.js";

/** How libprocess writes "no address". Old drivers need some address. */
const NOBODY = "@0.0.0.0:0";

export interface DriverConnectionOptions {
  readonly framework: Framework;
  readonly executor: Executor;
  readonly agent: () => AgentInfo;
  /** To the driver. */
  readonly send: (message: NamedMessage) => void;
}

/**
 * The connection to an executor on the v0 driver: translates events into messages.
 *
 * Messages give no feedback on whether they arrive; that the executor is gone shows when its container ends.
 */
export class DriverConnection implements ExecutorConnection {
  private isReregistered = false;

  constructor(private readonly options: DriverConnectionOptions) {}

  /** Also true for events that the driver has no message for, if they say nothing new. */
  send(event: Event): boolean {
    if (event.type === Event_Type.HEARTBEAT || (this.isReregistered && event.type === Event_Type.SUBSCRIBED))
      return true;
    const message = this.message(event);
    if (message !== undefined) this.options.send(message);
    return message !== undefined;
  }

  close(): void {}

  /** Tells the driver that it re-registered, in place of everything that SUBSCRIBED says. */
  reregistered(): void {
    this.isReregistered = true;
    const slave_info = this.options.agent();
    this.options.send(
      named("ExecutorReregisteredMessage", ExecutorReregisteredMessage, {
        slave_id: slave_info.id,
        slave_info,
      }),
    );
  }

  private message(event: Event): NamedMessage | undefined {
    const { framework, executor, agent } = this.options;
    const framework_id = { value: framework.id };
    const slave_id = { value: executor.ids.agentId };
    switch (event.type) {
      case Event_Type.SUBSCRIBED:
        return named("ExecutorRegisteredMessage", ExecutorRegisteredMessage, {
          executor_info: executor.info,
          framework_id,
          framework_info: framework.info,
          slave_id,
          slave_info: agent(),
        });
      case Event_Type.LAUNCH:
        return named("RunTaskMessage", RunTaskMessage, {
          framework: framework.info,
          task: event.launch!.task,
          pid: framework.pid ?? NOBODY,
          resource_version_uuids: [],
        });
      case Event_Type.KILL:
        return named("KillTaskMessage", KillTaskMessage, { framework_id, ...event.kill });
      case Event_Type.ACKNOWLEDGED:
        return named("StatusUpdateAcknowledgementMessage", StatusUpdateAcknowledgementMessage, {
          slave_id,
          framework_id,
          ...event.acknowledged,
        });
      case Event_Type.MESSAGE:
        return named("FrameworkToExecutorMessage", FrameworkToExecutorMessage, {
          slave_id,
          framework_id,
          executor_id: { value: executor.id },
          data: event.message!.data,
        });
      case Event_Type.SHUTDOWN:
        return named("ShutdownExecutorMessage", ShutdownExecutorMessage, {});
      default:
        return undefined;
    }
  }
}

const named = <T>(
  name: string,
  codec: { encode(message: T): { finish(): Uint8Array } },
  message: T,
): NamedMessage => ({ name: `mesos.internal.${name}`, body: codec.encode(message).finish() });
