import {
  type FrameworkID,
  type Offer_Operation,
  type Operation,
  OperationState,
  type OperationStatus,
  type UUID,
} from "../../../proto/gen/mesos/v1/mesos.js";
import { isSpeculative, operationResources, Resources } from "../../../sdk/resources/index.js";

/** Whether nothing follows such a status. */
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

/** The same text for the same bytes. */
export const uuidKey = (uuid: UUID | undefined): string => uuid?.value?.toString("hex") ?? "";

/** An offer operation that an agent was told to do, until the end of it is acknowledged. */
export class OperationEntry {
  /** Of its UUID. */
  readonly key: string;
  readonly agentId: string;
  /** Undefined: an operator asked for it. */
  readonly frameworkId: string | undefined;
  readonly speculative: boolean;
  /** What is set apart until it has ended, allocated to a role; nothing for speculative ones. */
  readonly consumed: Resources;
  /**
   * Its framework is not known (any more), so that nobody accounts for what it consumes: that is taken out of the agent's total for as
   * long.
   */
  orphan = false;
  /** As readers see it; replaced with every change. */
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

  /** The name that its framework gave it, which then wants to hear of it. */
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

  /** What its framework was told last. */
  get told(): OperationStatus {
    return this.message.statuses.at(-1) ?? this.message.latest_status ?? { converted_resources: [] };
  }

  /**
   * Takes a status into its history.
   *
   * @param latest the one that the agent knows, where the status itself is an older one
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
