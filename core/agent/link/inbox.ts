import type { Logger } from "../../../sdk/contracts/logger.js";
import type { InboundMessage, MessageTransport } from "../../../sdk/contracts/message-transport.js";
import { messageOf } from "../../../sdk/errors/index.js";
import { AGENT_ACTOR } from "../constants.js";
import { type DriverMessage, decodeDriverMessage } from "../drivers/driver-messages.js";
import type { ExecutorDrivers } from "../drivers/executor-drivers.js";
import type { Complaints } from "./complaints.js";
import { decodeMasterMessage, type MasterMessage } from "./inbound.js";
import type { MasterLink } from "./master-link.js";
import type { MasterOrders } from "./master-orders.js";

export interface InboxOptions {
  readonly transport: MessageTransport;
  readonly link: MasterLink;
  readonly orders: MasterOrders;
  readonly drivers: ExecutorDrivers;
  readonly complaints: Complaints;
  readonly logger: Logger;
}

/** Messages to the agent: decodes them and dispatches them. Drops malformed ones, and those that their sender has no right to send. */
export class Inbox {
  private stopReceiving: (() => void) | undefined;

  constructor(private readonly options: InboxOptions) {}

  open(): void {
    this.stopReceiving ??= this.options.transport.receive(AGENT_ACTOR, (message) => this.receive(message));
  }

  close(): void {
    this.stopReceiving?.();
  }

  /** Logged once for each sender and kind of message. */
  private drop(from: string, name: string, reason: string): void {
    const { complaints, logger } = this.options;
    const say = complaints.about(from, name);
    if (say !== undefined) logger.warn({ ...say, from, message: name }, `dropping a message: ${reason}`);
  }

  private receive({ from, name, body }: InboundMessage): Promise<void> | undefined {
    let message: MasterMessage | undefined;
    let said: DriverMessage | undefined;
    try {
      said = decodeDriverMessage(name, body);
      message = said === undefined ? decodeMasterMessage(name, body) : undefined;
    } catch (error) {
      this.drop(from, name, `it cannot be read: ${messageOf(error)}`);
      return undefined;
    }
    if (said !== undefined) return this.options.drivers.take(from, said);
    if (message === undefined) this.drop(from, name, "agents take no such message");
    else this.obey(from, message);
    return undefined;
  }

  private obey(from: string, message: MasterMessage): void {
    const { link, orders } = this.options;
    if (message.name === "PingSlaveMessage") {
      link.pinged(from, message.body.connected === true);
    } else if (message.name === "FrameworkToExecutorMessage") {
      // Schedulers may send these directly.
      orders.frameworkToExecutor(message.body);
    } else if (message.name === "StatusUpdateAcknowledgementMessage" && !from.startsWith("master")) {
      orders.acknowledge(message.body);
    } else if (link.isMaster(from)) {
      orders.obey(message);
    } else {
      this.drop(from, message.name, `its sender is not the master, which is ${link.master ?? "unknown"}`);
    }
  }
}
