import {
  UpdateOperationStatusMessage as UpdateCodec,
  type UpdateOperationStatusMessage,
} from "../../../proto/gen/mesos/internal/messages.js";
import type { Operation } from "../../../proto/gen/mesos/v1/mesos.js";
import type { Clock, Timer } from "../../../sdk/contracts/clock.js";
import { UPDATE_RETRY_MAX, UPDATE_RETRY_MIN } from "../constants.js";
import type { NamedMessage } from "../link/master-link.js";

export interface OperationUpdatesOptions {
  readonly clock: Clock;
  readonly agentId: () => string;
  readonly send: (message: NamedMessage) => void;
}

/**
 * Reports how operations ended, repeatedly until each is acknowledged. An operation on the agent's own resources has just one status with a
 * UUID, its end, so there is never a second one in the queue.
 */
export class OperationUpdates {
  private readonly retries = new Map<string, Timer>();
  private paused = true;

  constructor(private readonly options: OperationUpdatesOptions) {}

  /** @param key key of the operation's UUID */
  deliver(key: string, operation: Operation, wait = UPDATE_RETRY_MIN): void {
    this.retries.get(key)?.cancel();
    if (this.paused) return;
    const again = (): void => this.deliver(key, operation, Math.min(2 * wait, UPDATE_RETRY_MAX));
    this.retries.set(key, this.options.clock.setTimeout(again, wait));
    const { framework_id, uuid, latest_status } = operation;
    // The acknowledgement comes to the agent under its current id: operations survive an agent that starts over with a new one.
    const status = latest_status && { ...latest_status, agent_id: { value: this.options.agentId() } };
    this.send({ framework_id, operation_uuid: uuid, status, latest_status: status });
  }

  /** Sent once, whether or not it arrives. */
  send(message: Omit<UpdateOperationStatusMessage, "slave_id">): void {
    const body = UpdateCodec.encode({ ...message, slave_id: { value: this.options.agentId() } }).finish();
    this.options.send({ name: "mesos.internal.UpdateOperationStatusMessage", body });
  }

  acknowledged(key: string): void {
    this.retries.get(key)?.cancel();
    this.retries.delete(key);
  }

  /** There is no master to send to. */
  pause(): void {
    this.paused = true;
    for (const retry of this.retries.values()) retry.cancel();
    this.retries.clear();
  }

  resume(): void {
    this.paused = false;
  }
}
