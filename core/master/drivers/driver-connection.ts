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
  /** The driver goes on where it was, and is told so in place of that it is registered. */
  readonly again: boolean;
  readonly transport: Pick<MessageTransport, "address" | "send" | "link">;
  /** Address of an agent; undefined where that is not known. */
  readonly agentPid: (agentId: string | undefined) => string | undefined;
  /** Seconds since the epoch. */
  readonly now: () => number;
}

/**
 * The way to a scheduler of the v0 driver: says in messages what others are told in events.
 *
 * Messages say nothing of whether they arrive. That the driver is gone shows by the link to it.
 */
export class DriverConnection implements SchedulerConnection {
  private frameworkId: FrameworkID | undefined;
  private unlink: (() => void) | undefined;

  constructor(private readonly options: DriverConnectionOptions) {}

  /** Calls `exited` once when the driver cannot be reached any more, unless this is closed before. */
  watch(exited: () => void): void {
    const { transport, pid } = this.options;
    this.unlink = transport.link(pid, exited);
  }

  close(): void {
    this.unlink?.();
    this.unlink = undefined;
  }

  /** True for what the driver has no message for, too: heartbeats, inverse offers, operations. */
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
        // As many as offers, or the driver dies of it.
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
    // What is to be acknowledged needs an address for that, although all but very old drivers do it through the master.
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
