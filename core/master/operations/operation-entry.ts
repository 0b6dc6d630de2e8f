import {
  type FrameworkID,
  type Offer_Operation,
  type Operation,
  OperationState,
  type OperationStatus,
  type UUID,
} from "../../../proto/gen/mesos/v1/mesos.js";
import { isSpeculative, operationResources, Resources } from "../../../sdk/resources/index.js";

/** Whether no other status follows this one. */
export function isTerminalOperation(state: OperationState | undefined): boolean {
  switch (state) {
    case OperationState.OPERATION_FINISHED:
    case OperationState.OPERATION_FAILED:
    case OperationState.OPERATION_ERROR:
    case OperationState.OPERATION_DROPPED:
    case OperationState.OPERATION_GONE_BY_OPERATOR:
      return true;
    default:
      return false;
  }
}

/** Equal for equal bytes. */
export const uuidKey = (uuid: UUID | undefined): string => uuid?.value?.toString("hex") ?? "";

/** An offer operation that was sent to an agent, until its end is acknowledged. */
export class OperationEntry {
  /** Key of its UUID. */
  readonly key: string;
  readonly agentId: string;
  /** Undefined: an operator requested it. */
  readonly frameworkId: string | undefined;
  readonly speculative: boolean;
  /** Set aside until the operation ends, allocated to a role; empty for speculative operations. */
  readonly consumed: Resources;
  /**
   * Its framework is not known, or no longer, so nobody accounts for what it consumes; that is taken out of the agent's total in the
   * meantime.
   */
  orphan = false;
  /** The message that readers see; replaced at every change. */
  message: Operation;

  constructor(message: Operation) {
    this.message = message;
    this.key = uuidKey(message.uuid);
    this.agentId = message.agent_id?.value ?? "";
    this.frameworkId = message.framework_id?.value;
    this.speculative = isSpeculative(this.info);
    this.consumed = this.speculative ? Resources.empty : Resources.of(operationResources(this.info));
  }

  get info(): Offer_Operation {
    return this.message.info ?? {};
  }

  /** The id that its framework gave it, to receive feedback. */
  get operationId(): string | undefined {
    return this.info.id?.value;
  }

  get frameworkIdMessage(): FrameworkID | undefined {
    return this.message.framework_id;
  }

  get providerId(): string | undefined {
    return operationResources(this.info)[0]?.provider_id?.value;
  }

  get state(): OperationState {
    return this.message.latest_status?.state ?? OperationState.OPERATION_UNKNOWN;
  }

  get ended(): boolean {
    return isTerminalOperation(this.state);
  }

  /** The status that its framework was told last. */
  get lastReported(): OperationStatus {
    return this.message.statuses.at(-1) ?? this.message.latest_status ?? { converted_resources: [] };
  }

  /**
   * Adds a status to its history.
   *
   * @param latest the agent's latest status, if the status itself is older
   */
  note(status: OperationStatus, latest: OperationStatus): void {
    const { statuses } = this.message;
    const repeated = uuidKey(status.uuid) !== "" && uuidKey(statuses.at(-1)?.uuid) === uuidKey(status.uuid);
    this.message = {
      ...this.message,
      latest_status: this.ended ? this.message.latest_status : latest,
      statuses: repeated ? statuses : [...statuses, status],
    };
  }
}
