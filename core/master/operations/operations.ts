import type { UpdateOperationStatusMessage } from "../../../proto/gen/mesos/internal/messages.js";
import {
  AgentInfo_Capability_Type as Capability,
  type Offer_Operation,
  type Operation,
  OperationState,
  type OperationStatus,
  type UUID,
} from "../../../proto/gen/mesos/v1/mesos.js";
import type { Call_AcknowledgeOperationStatus } from "../../../proto/gen/mesos/v1/scheduler/scheduler.js";
import {
  applyConversions,
  conversionsOf,
  isSpeculative,
  mapOperationResources,
  operationResources,
  type Resources,
} from "../../../sdk/resources/index.js";
import type { Agent } from "../agents/agent.js";
import { ORPHAN_ADOPTION_SECONDS } from "../constants.js";
import { type MasterContext, nowSeconds } from "../context.js";
import { operationUpdate } from "../frameworks/events.js";
import type { Framework } from "../frameworks/framework.js";
import { acknowledgedOperation } from "./acknowledged-operation.js";
import { OperationAccount } from "./operation-account.js";
import { isTerminalOperation, OperationEntry, uuidKey } from "./operation-entry.js";

/**
 * Offer operations once they are validated: sent to agents, their statuses forwarded, and forgotten once their end is acknowledged.
 *
 * Agents without RESOURCE_PROVIDER are not sent operations, but the resources that result from them (CheckpointResourcesMessage); there is
 * no feedback on those.
 */
export class Operations {
  private readonly account: OperationAccount;

  /** @param removed an operation has left the agent */
  constructor(
    private readonly context: MasterContext,
    private readonly removed: (agent: Agent) => void,
  ) {
    this.account = new OperationAccount(context);
  }

  /**
   * Starts an operation whose resources the allocator already counts as free for it.
   *
   * @param info in the post-refinement format, allocated if a framework asks
   * @returns why it is impossible; nothing has happened then
   */
  start(agent: Agent, info: Offer_Operation, framework?: Framework): string | undefined {
    const speculative = isSpeculative(info);
    const total = speculative ? converted(agent, info) : undefined;
    if (total !== undefined && typeof total === "string") return total;
    const providerId = operationResources(info)[0]?.provider_id;
    const version =
      providerId === undefined ? agent.resourceVersion : agent.providers.get(providerId.value ?? "");
    if (providerId !== undefined && version === undefined) {
      return `Resource provider ${providerId.value} is unknown`;
    }
    if (total !== undefined) agent.total = total;
    if (agent.can(Capability.RESOURCE_PROVIDER) && version !== undefined) {
      const status = pendingStatus(agent, info);
      const entry = new OperationEntry({
        framework_id: framework?.idMessage,
        agent_id: agent.idMessage,
        info,
        latest_status: status,
        statuses: [],
        uuid: this.uuid(),
      });
      this.add(entry, agent, framework);
      this.context.messages.applyOperation(agent, {
        framework_id: framework?.idMessage,
        operation_info: info,
        operation_uuid: entry.message.uuid,
        resource_version_uuid: { resource_provider_id: providerId, uuid: version },
      });
    } else {
      this.context.messages.checkpointResources(agent);
    }
    framework?.metrics.countOperation(info.type ?? 0);
    return undefined;
  }

  private uuid(): UUID {
    return { value: Buffer.from(this.context.random.uuid().replaceAll("-", ""), "hex") };
  }

  private add(entry: OperationEntry, agent: Agent, framework: Framework | undefined): void {
    this.context.metrics.operationEntered(entry.info.type, entry.state);
    agent.operationEntries.set(entry.key, entry);
    if (framework !== undefined) {
      framework.addOperation(entry);
      this.account.hold(entry, agent, framework);
    } else if (entry.frameworkId !== undefined) {
      this.account.orphan(entry, agent);
    }
  }

  /** The framework is gone: from now on only the master cares about its operations. */
  abandon(framework: Framework): void {
    for (const entry of framework.operationEntries.values()) {
      const agent = this.context.cluster.agents.get(entry.agentId);
      if (agent !== undefined) this.account.abandon(entry, agent, framework);
    }
    framework.forgetOperations();
  }

  /**
   * The framework is here, or back: operations that agents reported earlier are its own. Must be called before the allocator knows the
   * framework.
   */
  adopt(framework: Framework): void {
    for (const agent of this.context.cluster.agents.values()) {
      for (const entry of agent.operationEntries.values()) {
        if (entry.frameworkId !== framework.id) continue;
        framework.addOperation(entry);
        this.account.adopt(entry, agent, framework);
      }
    }
  }

  /** An agent reports all of its operations after it has registered. */
  reported(agent: Agent, operations: readonly Operation[]): void {
    const { cluster, logger, messages } = this.context;
    const reported = new Set(operations.map(({ uuid }) => uuidKey(uuid)));
    const missing = [...agent.operationEntries.values()].filter(({ key }) => !reported.has(key));
    for (const operation of operations) {
      // The agent id of the link counts, not the one in the message.
      const entry = new OperationEntry({ ...operation, agent_id: agent.idMessage });
      if (entry.key === "" || agent.operationEntries.has(entry.key)) continue;
      if (this.isSettled(agent, operation.uuid, operation.latest_status)) continue;
      this.add(entry, agent, cluster.frameworks.get(entry.frameworkId ?? ""));
    }
    if (missing.length === 0) return;
    logger.warn(
      { agent: agent.id, operations: missing.length },
      "An agent does not know operations; asking it",
    );
    messages.reconcileOperations(agent, {
      operations: missing.map(({ message, providerId }) => ({
        operation_uuid: message.uuid,
        resource_provider_id: providerId === undefined ? undefined : { value: providerId },
      })),
    });
  }

  update(agent: Agent, message: UpdateOperationStatusMessage): void {
    const { cluster, logger, metrics } = this.context;
    const { status } = message;
    const entry = agent.operationEntries.get(uuidKey(message.operation_uuid));
    if (status === undefined) return;
    if (entry === undefined) {
      if (message.operation_uuid !== undefined) metrics.counters.invalid_operation_status_updates.inc();
      if (this.isSettled(agent, message.operation_uuid, status)) return;
      // An answer to a reconciliation, forwarded by the agent.
      const framework = cluster.frameworks.get(message.framework_id?.value ?? "");
      if (framework?.connected) framework.send(operationUpdate(status));
      else logger.warn({ agent: agent.id }, "Status of an operation that is not known");
      return;
    }
    metrics.counters.valid_operation_status_updates.inc();
    const { operationId } = entry;
    // Agents that answer a reconciliation do not know the operation id.
    const named = operationId === undefined ? status : { ...status, operation_id: { value: operationId } };
    this.note(entry, agent, { status: named, latest: message.latest_status ?? named });
    const framework = cluster.frameworks.get(entry.frameworkId ?? "");
    if (this.willAcknowledge(entry)) {
      if (framework?.connected) framework.send(operationUpdate(named));
      // Nobody can acknowledge it, and the agent will not repeat it.
      if (entry.ended && entry.message.latest_status?.uuid === undefined) this.remove(entry, agent);
      return;
    }
    this.acknowledgeForNobody(entry, agent, named);
  }

  /** Whether its framework asked for feedback and can acknowledge. */
  private willAcknowledge({ operationId, frameworkId }: OperationEntry): boolean {
    return (
      operationId !== undefined &&
      frameworkId !== undefined &&
      this.context.cluster.frameworks.has(frameworkId)
    );
  }

  private acknowledgeForNobody(entry: OperationEntry, agent: Agent, { uuid }: OperationStatus): void {
    if (uuid !== undefined) {
      const { cluster, messages } = this.context;
      const { operationId, frameworkId } = entry;
      const completed = cluster.completedFrameworks.has(frameworkId ?? "");
      if (operationId !== undefined && frameworkId !== undefined && !completed) {
        // After a failover, agents may return before the frameworks whose operations they have. Those of frameworks that an earlier master
        // removed never do; Mesos's master leaves their reservations and volumes unacknowledged, and a drain of the agent never ends.
        const since = agent.reregisteredTime ?? 0;
        if (nowSeconds(this.context) - since < ORPHAN_ADOPTION_SECONDS) return;
      }
      messages.acknowledgeOperation(agent, {
        status_uuid: uuid,
        operation_uuid: entry.message.uuid,
        resource_provider_id: entry.providerId === undefined ? undefined : { value: entry.providerId },
      });
    }
    if (entry.ended) this.remove(entry, agent);
  }

  private note(
    entry: OperationEntry,
    agent: Agent,
    { status, latest }: { status: OperationStatus; latest: OperationStatus },
  ): void {
    const before = entry.state;
    const wasEnded = entry.ended;
    entry.note(status, latest);
    this.context.metrics.operationMoved(entry.info.type, before, entry.state);
    if (!wasEnded && entry.ended) this.account.settle(entry, agent);
  }

  /**
   * Whether this end has been acknowledged already: the agent sent the report before the acknowledgement arrived. If the operation were
   * added, it would stay forever, or be reported lost when the next report does not include it. The acknowledgement is repeated because it
   * may have been lost.
   */
  private isSettled(agent: Agent, operation: UUID | undefined, status: OperationStatus | undefined): boolean {
    const acknowledged = agent.settledOperations.get(uuidKey(operation));
    if (acknowledged === undefined || acknowledged !== uuidKey(status?.uuid)) return false;
    this.context.messages.acknowledgeOperation(agent, {
      status_uuid: status?.uuid,
      operation_uuid: operation,
      resource_provider_id: status?.resource_provider_id,
    });
    return true;
  }

  private remove(entry: OperationEntry, agent: Agent): void {
    const status = uuidKey(entry.message.latest_status?.uuid);
    if (status !== "") agent.settledOperations.set(entry.key, status);
    agent.operationEntries.delete(entry.key);
    this.removed(agent);
    this.context.cluster.frameworks.get(entry.frameworkId ?? "")?.removeOperation(entry);
  }

  /** Forwarded to the agent. An operation is forgotten once its terminal status is acknowledged. */
  acknowledge(framework: Framework, call: Call_AcknowledgeOperationStatus): void {
    const { messages, metrics, logger } = this.context;
    const { counters } = metrics;
    counters.messages_operation_status_update_acknowledgement.inc();
    const found = acknowledgedOperation(this.context.cluster, framework, call);
    if (typeof found === "string") {
      counters.invalid_operation_status_update_acknowledgements.inc();
      const operation = call.operation_id?.value;
      logger.warn({ framework: framework.id, operation }, `Cannot acknowledge an operation status: ${found}`);
      return;
    }
    const { agent, entry, status } = found;
    if (isTerminalOperation(status.state)) this.remove(entry, agent);
    messages.acknowledgeOperation(agent, {
      status_uuid: status.uuid,
      operation_uuid: entry.message.uuid,
      resource_provider_id: call.resource_provider_id,
    });
    counters.valid_operation_status_update_acknowledgements.inc();
  }

  /** The agent is removed: frameworks are told once, and not reliably. */
  lost(agent: Agent, fate?: { readonly state: OperationState; readonly message: string }): void {
    const { cluster, metrics } = this.context;
    for (const entry of agent.operationEntries.values()) {
      const framework = cluster.frameworks.get(entry.frameworkId ?? "");
      if (fate !== undefined && entry.operationId !== undefined && framework?.connected) {
        const status: OperationStatus = {
          operation_id: { value: entry.operationId },
          ...fate,
          converted_resources: [],
          agent_id: agent.idMessage,
        };
        if (entry.providerId !== undefined) status.resource_provider_id = { value: entry.providerId };
        framework.send(operationUpdate(status));
      }
      if (!entry.ended) {
        metrics.operationLeft(entry.info.type, entry.state);
        if (framework !== undefined) framework.subtractUsed(agent.id, entry.consumed);
      }
      framework?.removeOperation(entry);
    }
    agent.operationEntries.clear();
  }

  /** An operation that is not started. Only the sender of one with an id expects an answer. */
  refuse(framework: Framework, operation: Offer_Operation, message: string): void {
    this.context.logger.warn({ framework: framework.id, message }, "Refused an offer operation");
    this.context.metrics.operationEntered(operation.type, OperationState.OPERATION_ERROR);
    if (operation.id === undefined) return;
    framework.send(
      operationUpdate({
        operation_id: operation.id,
        state: OperationState.OPERATION_ERROR,
        message,
        converted_resources: [],
      }),
    );
  }
}

/** The agent's total after the operation, or why it is impossible. */
function converted(agent: Agent, info: Offer_Operation): Resources | string {
  const plain = mapOperationResources(info, ({ allocation_info: _, ...message }) => message);
  const conversions = conversionsOf(plain);
  if (!conversions.ok) return conversions.error;
  const total = applyConversions(agent.total, conversions.value);
  return total.ok ? total.value : total.error;
}

function pendingStatus(agent: Agent, info: Offer_Operation): OperationStatus {
  const status: OperationStatus = {
    state: OperationState.OPERATION_PENDING,
    converted_resources: [],
    agent_id: agent.idMessage,
  };
  if (info.id !== undefined) status.operation_id = info.id;
  const providerId = operationResources(info)[0]?.provider_id;
  if (providerId !== undefined) status.resource_provider_id = providerId;
  return status;
}
