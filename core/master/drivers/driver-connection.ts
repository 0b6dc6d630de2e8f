import {
  ExecutorToFrameworkMessage,
  ExitedExecutorMessage,
  FrameworkErrorMessage,
  FrameworkRegisteredMessage,
  FrameworkReregisteredMessage,
  LostSlaveMessage,
  RescindResourceOfferMessage,
  ResourceOffersMessage,
  StatusUpdateMessage,
} from "../../../proto/gen/mesos/internal/messages.js";
import type { FrameworkID, TaskStatus } from "../../../proto/gen/mesos/v1/mesos.js";
import { type Event, Event_Type } from "../../../proto/gen/mesos/v1/scheduler/scheduler.js";
import type { MessageTransport } from "../../../sdk/contracts/message-transport.js";
import type { SchedulerConnection } from "../../../sdk/contracts/scheduler-service.js";
import { MASTER_ACTOR } from "../constants.js";

export interface DriverConnectionOptions {
  /** Address of the driver. */
  readonly pid: string;
  /** The driver is resuming, and is told that it re-registered instead of registered. */
  readonly again: boolean;
  readonly transport: Pick<MessageTransport, "address" | "send" | "link">;
  /** The address of an agent; undefined if unknown. */
  readonly agentPid: (agentId: string | undefined) => string | undefined;
  /** Seconds since the epoch. */
  readonly now: () => number;
}

/**
 * The connection to a scheduler on the v0 driver: translates events into messages.
 * Messages give no feedback on whether they arrive; a driver that has died is noticed by its link.
 */
export class DriverConnection implements SchedulerConnection {
  private frameworkId: FrameworkID | undefined;
  private unlink: (() => void) | undefined;

  constructor(private readonly options: DriverConnectionOptions) {}

  /** Calls `exited` once, when the driver becomes unreachable, unless the connection is closed before. */
  watch(exited: () => void): void {
    const { transport, pid } = this.options;
    this.unlink = transport.link(pid, exited);
  }

  close(): void {
    this.unlink?.();
    this.unlink = undefined;
  }

  /** Also true for events that the driver has no message for: heartbeats, inverse offers, operations. */
  send(event: Event): boolean {
    switch (event.type) {
      case Event_Type.SUBSCRIBED: {
        const { framework_id, master_info } = event.subscribed!;
        this.frameworkId = framework_id;
        if (this.options.again)
          this.say("FrameworkReregisteredMessage", FrameworkReregisteredMessage, {
            framework_id,
            master_info,
          });
        else
          this.say("FrameworkRegisteredMessage", FrameworkRegisteredMessage, { framework_id, master_info });
        break;
      }
      case Event_Type.OFFERS: {
        const { offers } = event.offers!;
        // As many as there are offers, or the driver crashes.
        const pids = offers.map(({ agent_id }) => this.options.agentPid(agent_id?.value) ?? "");
        this.say("ResourceOffersMessage", ResourceOffersMessage, { offers, pids });
        break;
      }
      case Event_Type.RESCIND:
        this.say("RescindResourceOfferMessage", RescindResourceOfferMessage, event.rescind!);
        break;
      case Event_Type.UPDATE:
        this.update(event.update!.status!);
        break;
      case Event_Type.FAILURE: {
        const { agent_id: slave_id, executor_id, status } = event.failure!;
        if (executor_id === undefined) this.say("LostSlaveMessage", LostSlaveMessage, { slave_id });
        else {
          const exited = { slave_id, framework_id: this.frameworkId, executor_id, status };
          this.say("ExitedExecutorMessage", ExitedExecutorMessage, exited);
        }
        break;
      }
      case Event_Type.MESSAGE: {
        const { agent_id: slave_id, executor_id, data } = event.message!;
        const message = { slave_id, framework_id: this.frameworkId, executor_id, data };
        this.say("ExecutorToFrameworkMessage", ExecutorToFrameworkMessage, message);
        break;
      }
      case Event_Type.ERROR:
        this.say("FrameworkErrorMessage", FrameworkErrorMessage, { message: event.error!.message });
        break;
    }
    return true;
  }

  private update(status: TaskStatus): void {
    const { agent_id: slave_id, executor_id, uuid, timestamp = this.options.now() } = status;
    const { agentPid, transport } = this.options;
    // Only very old drivers acknowledge to this address; all others do it through the master, but still need one.
    const pid =
      uuid === undefined ? undefined : (agentPid(slave_id?.value) ?? transport.address(MASTER_ACTOR));
    const update = { framework_id: this.frameworkId, executor_id, slave_id, status, timestamp, uuid };
    this.say("StatusUpdateMessage", StatusUpdateMessage, { update, pid });
  }

  private say<T>(name: string, codec: { encode(message: T): { finish(): Uint8Array } }, message: T): void {
    const { transport, pid } = this.options;
    transport.send(pid, {
      from: MASTER_ACTOR,
      name: `mesos.internal.${name}`,
      body: codec.encode(message).finish(),
    });
  }
}
