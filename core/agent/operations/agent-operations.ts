import type {
  AcknowledgeOperationStatusMessage,
  ApplyOperationMessage,
  ReconcileOperationsMessage,
} from "../../../proto/gen/mesos/internal/messages.js";
import {
  type Offer_Operation,
  type Operation,
  OperationState,
  type OperationStatus,
  Offer_Operation_Type as OperationType,
} from "../../../proto/gen/mesos/v1/mesos.js";
import type { Logger } from "../../../sdk/contracts/logger.js";
import type { Random } from "../../../sdk/contracts/random.js";
import { messageOf } from "../../../sdk/errors/index.js";
import {
  applyOperation,
  failure,
  mapOperationResources,
  operationResources,
  Resources,
  type Result,
} from "../../../sdk/resources/index.js";
import type { AgentState } from "../agent-state.js";
import type { NamedMessage } from "../link/master-link.js";
import { updateMessage } from "../link/registration.js";
import type { ResourceVersion } from "../link/resource-version.js";
import type { CheckpointedResources } from "../resources/checkpointed-resources.js";
import { uuidBytes } from "../tasks/status.js";
import { uuidKey } from "../updates/update-stream.js";
import type { OperationUpdates } from "./operation-updates.js";

export interface AgentOperationsOptions {
  readonly state: AgentState;
  readonly resources: CheckpointedResources;
  readonly updates: OperationUpdates;
  readonly resourceVersion: Pick<ResourceVersion, "current" | "is">;
  readonly random: Random;
  readonly logger: Logger;
  readonly send: (message: NamedMessage) => void;
  /** Re-registers with the master. */
  readonly reregister: () => void;
  /** The master assumes changes that were not made: it has to learn what this agent really has. */
  readonly undone: () => void;
  /** An operation has ended, and its end is acknowledged. */
  readonly settled: () => void;
}

/**
 * Offer operations on the agent's own resources. The master assumes that they succeed when it sends them, so tasks that use their results
 * may follow at once. They count from the start, are written together with their results, and their end is reported until it is
 * acknowledged. If one fails all the same, that is reported, and the master is told what there really is.
 */
export class AgentOperations {
  constructor(private readonly options: AgentOperationsOptions) {}

  apply(message: ApplyOperationMessage): void {
    const { state, logger, resources } = this.options;
    const key = uuidKey(message.operation_uuid?.value);
    if (state.phase !== "serving" || state.id === "" || state.operations.has(key)) return;
    const info = message.operation_info ?? {};
    const operation: Operation = {
      framework_id: message.framework_id,
      agent_id: { value: state.id },
      info,
      latest_status: this.status(info, OperationState.OPERATION_PENDING),
      statuses: [],
      uuid: message.operation_uuid,
    };
    state.operations.set(key, operation);
    const version = message.resource_version_uuid?.uuid?.value;
    if (version === undefined || !this.options.resourceVersion.is(version)) {
      this.drop(key, operation);
      this.options.reregister();
      return;
    }
    const next = this.totalAfter(info);
    if (!next.ok) {
      logger.error({ operation: info.id?.value }, `an operation cannot be done: ${next.error}`);
      this.fail(key, operation, next.error);
      return;
    }
    resources.change(next.value, {
      // Written together with its end, so that a later run of the agent reports the same.
      before: () => state.endings.set(key, this.ended(operation, OperationState.OPERATION_FINISHED)),
      done: () => this.report(key),
      refused: (error) => {
        const end = this.ended(operation, OperationState.OPERATION_FAILED, messageOf(error));
        state.endings.set(key, end);
      },
      failed: () => {
        this.report(key);
        this.options.undone();
      },
    });
  }

  private totalAfter(info: Offer_Operation): Result<Resources> {
    const { state } = this.options;
    if (operationResources(info).some(({ provider_id }) => provider_id !== undefined)) {
      return failure("This agent has no resource providers");
    }
    const plain = mapOperationResources(info, ({ allocation_info: _, ...resource }) => resource);
    if (info.type === OperationType.DESTROY) {
      const volumes = (plain.destroy?.volumes ?? []).map((volume) => Resources.of([volume]));
      for (const executor of state.executors()) {
        const used = executor.resources.unallocate();
        if (volumes.some((volume) => used.contains(volume))) return failure("Persistent volumes in use");
      }
    }
    return applyOperation(state.total, plain);
  }

  private status(info: Offer_Operation, state: OperationState, message?: string): OperationStatus {
    const status: OperationStatus = {
      state,
      converted_resources: [],
      agent_id: { value: this.options.state.id },
    };
    if (info.id !== undefined) status.operation_id = info.id;
    if (message !== undefined) status.message = message;
    return status;
  }

  private ended(operation: Operation, state: OperationState, message?: string): Operation {
    const uuid = { value: uuidBytes(this.options.random.uuid()) };
    const status = { ...this.status(operation.info ?? {}, state, message), uuid };
    return { ...operation, latest_status: status, statuses: [status] };
  }

  /** Its end has been written. */
  private report(key: string): void {
    const { state, updates } = this.options;
    const ended = state.endings.get(key);
    if (ended === undefined) return;
    state.endings.delete(key);
    state.operations.set(key, ended);
    updates.deliver(key, ended);
  }

  private fail(key: string, operation: Operation, message: string): void {
    const { state, resources, undone } = this.options;
    state.endings.set(key, this.ended(operation, OperationState.OPERATION_FAILED, message));
    resources.save(() => {
      this.report(key);
      undone();
    });
  }

  /** Reported at once, without a record: a later run of the agent, which may not know the operation, would report the same. */
  private drop(key: string, operation: Operation): void {
    const { state, resources, updates } = this.options;
    const dropped = this.ended(
      operation,
      OperationState.OPERATION_DROPPED,
      "It assumes outdated resource state",
    );
    state.operations.set(key, dropped);
    resources.save();
    updates.deliver(key, dropped);
  }

  acknowledge({ operation_uuid, status_uuid }: AcknowledgeOperationStatusMessage): void {
    const { state, updates, resources, logger } = this.options;
    const key = uuidKey(operation_uuid?.value);
    const reported = state.operations.get(key)?.latest_status?.uuid;
    if (reported === undefined || uuidKey(reported.value) !== uuidKey(status_uuid?.value)) {
      logger.debug("ignoring an acknowledgement of an operation that was not waited for");
      return;
    }
    updates.acknowledged(key);
    state.operations.delete(key);
    this.options.settled();
    // If this is lost, the end is reported and acknowledged once more.
    resources.save();
  }

  /** The master asks about operations that this agent did not report. */
  reconcile({ operations, framework_id }: ReconcileOperationsMessage): void {
    for (const { operation_uuid, operation_id } of operations) {
      const known = this.find(uuidKey(operation_uuid?.value), operation_id?.value);
      if (framework_id === undefined) {
        if (known !== undefined) continue;
        const status = this.status({}, OperationState.OPERATION_DROPPED);
        this.options.updates.send({ operation_uuid, status });
        continue;
      }
      // The answer goes to the scheduler, through the master, and cannot be acknowledged.
      const { uuid: _, ...status } = known?.latest_status ?? {
        ...this.status({}, OperationState.OPERATION_UNKNOWN),
        operation_id,
      };
      this.options.updates.send({ framework_id, operation_uuid: known?.uuid, status });
    }
  }

  private find(key: string, id: string | undefined): Operation | undefined {
    const { operations } = this.options.state;
    if (key !== "") return operations.get(key);
    return [...operations.values()].find(({ info }) => id !== undefined && info?.id?.value === id);
  }

  /**
   * A master has admitted the agent: it is told all unacknowledged operations and the oversubscribable resources, and then the ends of
   * those operations.
   */
  registered(): void {
    const { state, resourceVersion, send, updates } = this.options;
    send(updateMessage(state, resourceVersion, { resource_providers: { providers: [] } }));
    updates.resume();
    for (const [key, operation] of state.operations) {
      if (operation.latest_status?.uuid !== undefined) updates.deliver(key, operation);
    }
  }
}
