import type { Event } from "../../proto/gen/mesos/v1/scheduler/scheduler.js";
import type { Tenure } from "../../sdk/contracts/election.js";
import type {
  MessageReceiver,
  MessageTransport,
  OutboundMessage,
} from "../../sdk/contracts/message-transport.js";
import type { SchedulerConnection } from "../../sdk/contracts/scheduler-service.js";

/** A leadership that ends only when it is said to. */
export const FOR_NOW: Tenure = { holds: () => true };

/**
 * Sends and takes messages only while the leadership holds. A master that was stopped for longer than that has messages waiting when it goes
 * on, and timers that are due, and may come to them before it comes to what tells it that another leads: nothing of that may leave it.
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

/** The same for the events of a scheduler. */
export class TenuredConnection implements SchedulerConnection {
  constructor(
    private readonly inner: SchedulerConnection,
    private readonly tenure: Tenure,
  ) {}

  /** True also for what is dropped: the scheduler has not fallen behind, and its connection is closed when the leadership ends. */
  send(event: Event): boolean {
    return this.tenure.holds() ? this.inner.send(event) : true;
  }

  close(): void {
    this.inner.close();
  }
}
