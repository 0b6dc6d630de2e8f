import type {
  ExecutorInfo,
  Filters,
  FrameworkInfo,
  KillPolicy,
  Offer,
  Offer_Operation,
  OfferID,
  OperationStatus,
  Request,
  TaskGroupInfo,
  TaskInfo,
  TaskStatus,
} from "../../proto/gen/mesos/v1/mesos.js";
import { Offer_Operation_Type } from "../../proto/gen/mesos/v1/mesos.js";
import {
  type Call,
  type OfferConstraints,
  Call_Type as Type,
} from "../../proto/gen/mesos/v1/scheduler/scheduler.js";
import { asBuffer, type IdInput, idOf, type PartialMessage } from "../client/partial.js";

/** An offer, or its id. */
export type OfferInput = IdInput | Offer;

type OneOrMany<T> = T | readonly T[];

export interface KillOptions {
  readonly agentId?: IdInput;
  readonly killPolicy?: PartialMessage<KillPolicy>;
}

export interface ExecutorTarget {
  readonly agentId: IdInput;
  readonly executorId: IdInput;
}

export interface ReconcileTask {
  readonly taskId: IdInput;
  readonly agentId?: IdInput | undefined;
}

export interface ReconcileOperation {
  readonly operationId: IdInput;
  readonly agentId?: IdInput | undefined;
  readonly resourceProviderId?: IdInput | undefined;
}

export interface FrameworkUpdate {
  readonly framework: PartialMessage<FrameworkInfo>;
  readonly suppressedRoles?: readonly string[];
  readonly offerConstraints?: PartialMessage<OfferConstraints>;
}

/**
 * The calls of the scheduler API. Each promise resolves when the master has accepted the call, which says nothing about
 * its effect: that arrives as events. A rejection nobody awaits is not a crash: like every lost call it shows in what does not happen.
 */
export abstract class SchedulerCalls {
  /** Sends any call; the framework's id is filled in. Rejects with a client error. */
  abstract send(call: PartialMessage<Call>): Promise<void>;

  /** Uses offers of one agent, in the order of the operations. Without operations it is a `decline`. */
  accept(
    offers: OneOrMany<OfferInput>,
    operations: readonly PartialMessage<Offer_Operation>[],
    filters?: Filters,
  ): Promise<void> {
    const accept = { offer_ids: offerIds(offers), operations: [...operations], ...(filters && { filters }) };
    return this.send({ type: Type.ACCEPT, accept });
  }

  /** Starts tasks on an offer; a task without `agent_id` gets the offer's. */
  launch(
    offers: OneOrMany<Offer>,
    tasks: readonly PartialMessage<TaskInfo>[],
    filters?: Filters,
  ): Promise<void> {
    const agent_id = list(offers)[0]?.agent_id;
    const task_infos = tasks.map((task) => ({ ...(agent_id && { agent_id }), ...task }));
    return this.accept(offers, [{ type: Offer_Operation_Type.LAUNCH, launch: { task_infos } }], filters);
  }

  /** Starts a group of tasks, all or none, below one executor, which gets the offer's framework and the tasks its agent where they have none. */
  launchGroup(
    offers: OneOrMany<Offer>,
    group: { executor: PartialMessage<ExecutorInfo>; taskGroup: PartialMessage<TaskGroupInfo> },
    filters?: Filters,
  ): Promise<void> {
    const { agent_id, framework_id } = list(offers)[0] ?? {};
    const executor = { ...(framework_id && { framework_id }), ...group.executor };
    const tasks = (group.taskGroup.tasks ?? []).map((task) => ({ ...(agent_id && { agent_id }), ...task }));
    const launch_group = { executor, task_group: { ...group.taskGroup, tasks } };
    return this.accept(offers, [{ type: Offer_Operation_Type.LAUNCH_GROUP, launch_group }], filters);
  }

  /** Without filters the same resources stay away for 5 s. */
  decline(offers: OneOrMany<OfferInput>, filters?: Filters): Promise<void> {
    return this.send({
      type: Type.DECLINE,
      decline: { offer_ids: offerIds(offers), ...(filters && { filters }) },
    });
  }

  kill(taskId: IdInput, { agentId, killPolicy }: KillOptions = {}): Promise<void> {
    const kill = {
      task_id: idOf(taskId),
      ...(agentId !== undefined && { agent_id: idOf(agentId) }),
      ...(killPolicy && { kill_policy: killPolicy }),
    };
    return this.send({ type: Type.KILL, kill });
  }

  /** For `manual` acknowledgements. An update without `uuid` needs none, and nothing is sent for it. */
  acknowledge({ uuid, task_id, agent_id }: TaskStatus): Promise<void> {
    if (uuid === undefined || task_id === undefined || agent_id === undefined) return Promise.resolve();
    return this.send({ type: Type.ACKNOWLEDGE, acknowledge: { agent_id, task_id, uuid } });
  }

  acknowledgeOperation(status: OperationStatus): Promise<void> {
    const { uuid, operation_id, agent_id, resource_provider_id } = status;
    if (uuid?.value === undefined || operation_id === undefined) return Promise.resolve();
    const acknowledge = { uuid: uuid.value, operation_id, ...(agent_id && { agent_id }) };
    return this.send({
      type: Type.ACKNOWLEDGE_OPERATION_STATUS,
      acknowledge_operation_status: { ...acknowledge, ...(resource_provider_id && { resource_provider_id }) },
    });
  }

  /** Asks for the states of these tasks; without any, of all tasks that the master knows. */
  reconcile(tasks: readonly ReconcileTask[] = []): Promise<void> {
    const asked = tasks.map(({ taskId, agentId }) => ({
      task_id: idOf(taskId),
      ...(agentId !== undefined && { agent_id: idOf(agentId) }),
    }));
    return this.send({ type: Type.RECONCILE, reconcile: { tasks: asked } });
  }

  reconcileOperations(operations: readonly ReconcileOperation[] = []): Promise<void> {
    const asked = operations.map(({ operationId, agentId, resourceProviderId }) => ({
      operation_id: idOf(operationId),
      ...(agentId !== undefined && { agent_id: idOf(agentId) }),
      ...(resourceProviderId !== undefined && { resource_provider_id: idOf(resourceProviderId) }),
    }));
    return this.send({ type: Type.RECONCILE_OPERATIONS, reconcile_operations: { operations: asked } });
  }

  /** Stops the offers of these roles; without any, of all. */
  suppress(roles: readonly string[] = []): Promise<void> {
    return this.send({ type: Type.SUPPRESS, suppress: { roles: [...roles] } });
  }

  /** Undoes `suppress` and every filter of these roles; without any, of all. */
  revive(roles: readonly string[] = []): Promise<void> {
    return this.send({ type: Type.REVIVE, revive: { roles: [...roles] } });
  }

  /** Sends bytes to an executor, at most once. */
  message({ agentId, executorId }: ExecutorTarget, data: Uint8Array): Promise<void> {
    return this.send({
      type: Type.MESSAGE,
      message: { agent_id: idOf(agentId), executor_id: idOf(executorId), data: asBuffer(data) },
    });
  }

  /** Asks an agent to shut an executor down. */
  shutdown({ agentId, executorId }: ExecutorTarget): Promise<void> {
    return this.send({
      type: Type.SHUTDOWN,
      shutdown: { agent_id: idOf(agentId), executor_id: idOf(executorId) },
    });
  }

  request(requests: readonly PartialMessage<Request>[]): Promise<void> {
    return this.send({ type: Type.REQUEST, request: { requests: [...requests] } });
  }

  acceptInverseOffers(offers: OneOrMany<IdInput>, filters?: Filters): Promise<void> {
    return this.send({
      type: Type.ACCEPT_INVERSE_OFFERS,
      accept_inverse_offers: { inverse_offer_ids: offerIds(offers), ...(filters && { filters }) },
    });
  }

  declineInverseOffers(offers: OneOrMany<IdInput>, filters?: Filters): Promise<void> {
    return this.send({
      type: Type.DECLINE_INVERSE_OFFERS,
      decline_inverse_offers: { inverse_offer_ids: offerIds(offers), ...(filters && { filters }) },
    });
  }
}

function list<T>(input: OneOrMany<T>): readonly T[] {
  return Array.isArray(input) ? input : [input as T];
}

function offerIds(offers: OneOrMany<OfferInput>): OfferID[] {
  return list<OfferInput>(offers).map((offer) =>
    typeof offer === "object" && "resources" in offer ? idOf(offer.id ?? "") : idOf(offer as IdInput),
  );
}
