import type { Event } from "../../proto/gen/mesos/v1/scheduler/scheduler.js";
import type { Tenure } from "../../sdk/contracts/election.js";
import type {
  MessageReceiver,
  MessageTransport,
  OutboundMessage,
} from "../../sdk/contracts/message-transport.js";
import type { SchedulerConnection } from "../../sdk/contracts/scheduler-service.js";

/** A leadership that only ends when it is told to. */
export const FOR_NOW: Tenure = { holds: () => true };

/**
 * Sends and receives messages only while the leadership holds. When a master resumes after being stopped for longer than that, messages and
 * timers that are due may run before it learns that another master leads: nothing they cause may leave the process.
 */
export class TenuredTransport implements MessageTransport {
  constructor(
    private readonly inner: MessageTransport,
    private readonly tenure: Tenure,
  ) {}

  address(actor: string): string {
    return this.inner.address(actor);
  }

  receive(actor: string, receiver: MessageReceiver): () => void {
    return this.inner.receive(actor, (message) => (this.tenure.holds() ? receiver(message) : undefined));
  }

  send(to: string, message: OutboundMessage): void {
    if (this.tenure.holds()) this.inner.send(to, message);
  }

  link(to: string, exited: () => void): () => void {
    return this.inner.link(to, exited);
  }

  reset(to?: string): void {
    this.inner.reset?.(to);
  }
}

/** The same for events to a scheduler. */
export class TenuredConnection implements SchedulerConnection {
  constructor(
    private readonly inner: SchedulerConnection,
    private readonly tenure: Tenure,
  ) {}

  /** True also for events that are dropped: the scheduler has not fallen behind, and its connection is closed when the leadership ends. */
  send(event: Event): boolean {
    return this.tenure.holds() ? this.inner.send(event) : true;
  }

  close(): void {
    this.inner.close();
  }
}
