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
 * Delivers how operations ended, each again and again until it is acknowledged. An operation on an agent's own resources has one status
 * with a UUID in its life, its end, so that there is never a second one to wait for.
 */
export class OperationUpdates {
  private readonly retries = new Map<string, Timer>();
  private paused = true;

  constructor(private readonly options: OperationUpdatesOptions) {}

  /** @param key of the operation's UUID */
  deliver(key: string, operation: Operation, wait = UPDATE_RETRY_MIN): void {
    this.retries.get(key)?.cancel();
    if (this.paused) return;
    const again = (): void => this.deliver(key, operation, Math.min(2 * wait, UPDATE_RETRY_MAX));
    this.retries.set(key, this.options.clock.setTimeout(again, wait));
    const { framework_id, uuid, latest_status } = operation;
    // It is acknowledged to who the agent is now: operations outlast an agent that begins anew, under another id.
    const status = latest_status && { ...latest_status, agent_id: { value: this.options.agentId() } };
    this.send({ framework_id, operation_uuid: uuid, status, latest_status: status });
  }

  /** Once, whether or not it arrives. */
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
