import {
  AgentInfo_Capability_Type as Capability,
  type Offer_Operation,
  Offer_Operation_Type as OperationType,
  TaskStatus_Reason as Reason,
  type TaskInfo,
  TaskState,
} from "../../../proto/gen/mesos/v1/mesos.js";
import type { Call_Accept } from "../../../proto/gen/mesos/v1/scheduler/scheduler.js";
import { operationResources, Resources } from "../../../sdk/resources/index.js";
import type { Agent } from "../agents/agent.js";
import type { MasterContext } from "../context.js";
import { update } from "../frameworks/events.js";
import type { Framework } from "../frameworks/framework.js";
import { isLaunch, type PreparedOperation, prepareOperation, tasksOf } from "../operations/operation.js";
import type { Operations } from "../operations/operations.js";
import { masterStatus } from "../tasks/status.js";
import { findOffers } from "../validation/offers.js";
import { validateOperation } from "../validation/operation.js";
import { AcceptedResources } from "./accepted-resources.js";
import { Bundles } from "./bundles.js";
import { filtersOf } from "./filters.js";
import type { Launches } from "./launch.js";
import type { Offers } from "./offers.js";

/** Why tasks of an ACCEPT are not launched. */
interface Refusal {
  readonly state: TaskState;
  readonly reason: Reason;
  readonly message: string;
}

interface Acceptance {
  readonly framework: Framework;
  readonly agent: Agent;
  readonly pool: AcceptedResources;
}

/** ACCEPT: applies a list of operations, in order, to the resources of some offers and gives back the rest. */
export class Accepts {
  private readonly bundles = new Bundles();

  constructor(
    private readonly context: MasterContext,
    private readonly offers: Offers,
    private readonly launches: Launches,
    private readonly operations: Operations,
  ) {}

  accept(framework: Framework, call: Call_Accept): void {
    const { cluster, allocator } = this.context;
    for (const operation of call.operations) this.countLaunch(operation);
    const found = findOffers(call.offer_ids, cluster, framework);
    if ("problem" in found) {
      this.refuseAll(framework, call, found.problem);
      return;
    }
    const { offers } = found;
    const [first] = offers;
    if (first === undefined) return;
    const { agent, role } = first;
    const prepared = this.prepare(call.operations, { framework, agent, role });

    for (const offer of offers) this.offers.remove(offer);
    framework.metrics.offersAccepted.inc(offers.length);
    const pool = new AcceptedResources(Resources.sum(offers.map(({ resources }) => resources)));
    for (const operation of prepared) this.apply(operation, { framework, agent, pool });

    const [frameworkId, agentId] = [framework.id, agent.id];
    const { conversions, used, made, declined } = pool.outcome();
    if (conversions.length > 0) allocator.updateAllocation({ frameworkId, agentId, conversions });
    if (!used.isEmpty) allocator.transition?.({ frameworkId, agentId, resources: used });
    // Resources that the framework has just made should be offered to it again, whatever filter it sets.
    if (!made.isEmpty) allocator.recover({ frameworkId, agentId, resources: made });
    if (declined.isEmpty) return;
    allocator.recover({ frameworkId, agentId, resources: declined, filters: filtersOf(call.filters) });
  }

  private apply(operation: PreparedOperation, { framework, agent, pool }: Acceptance): void {
    if (operation.kind !== "operation") {
      pool.use(this.launches.apply(operation, { framework, agent, available: pool.available }));
      return;
    }
    const { info } = operation;
    const problem = this.problemOf(info, { framework, agent, pool });
    if (problem !== undefined) this.operations.refuse(framework, info, problem);
  }

  /** Applies a reservation, volume or disk operation, or says why it cannot. */
  private problemOf(info: Offer_Operation, { framework, agent, pool }: Acceptance): string | undefined {
    const { principal } = framework.info;
    const provided = info.type === OperationType.CREATE_DISK || info.type === OperationType.DESTROY_DISK;
    if (provided && !agent.can(Capability.RESOURCE_PROVIDER)) {
      return `Not supported on agent ${agent} because it does not have RESOURCE_PROVIDER capability`;
    }
    const wrong = validateOperation(info, { agent, framework, principal });
    if (wrong !== undefined) return `${wrong}; on agent ${agent}`;
    if (info.type === OperationType.DESTROY) this.rescindOffersOf(agent, info.destroy?.volumes ?? []);
    const effect = pool.effectOf(info);
    if (!effect.ok) return effect.error;
    const problem = this.operations.start(agent, info, framework);
    if (problem === undefined) pool.apply(effect.value);
    return problem;
  }

  /** A shared volume may also be part of other offers. */
  private rescindOffersOf(agent: Agent, volumes: NonNullable<Offer_Operation["destroy"]>["volumes"]): void {
    const each = volumes.map((volume) => Resources.of([volume]));
    for (const offer of [...agent.offers]) {
      if (each.some((volume) => offer.resources.contains(volume))) this.offers.rescind(offer);
    }
  }

  private countLaunch(operation: Offer_Operation): void {
    if (operation.type !== OperationType.LAUNCH) return;
    const declines = tasksOf(operation).length === 0;
    this.context.metrics.counters[declines ? "messages_decline_offers" : "messages_launch_tasks"].inc();
  }

  /** Rejects the whole call: an offer is gone, or the offers do not fit together. */
  private refuseAll(framework: Framework, call: Call_Accept, problem: string): void {
    const { cluster, logger } = this.context;
    logger.warn({ framework: framework.id, problem }, "ACCEPT call used invalid offers");
    for (const { value = "" } of call.offer_ids) {
      const offer = cluster.offers.get(value);
      if (offer?.framework === framework) this.offers.discard(offer);
    }
    const refusal = {
      state: framework.partitionAware ? TaskState.TASK_DROPPED : TaskState.TASK_LOST,
      reason: Reason.REASON_INVALID_OFFERS,
      message: `Task launched with invalid offers: ${problem}`,
    };
    for (const operation of call.operations) {
      if (isLaunch(operation)) this.refuseTasks(framework, tasksOf(operation), refusal);
      else {
        const message = `Operation attempted with invalid offers: ${problem}`;
        this.operations.refuse(framework, operation, message);
      }
    }
  }

  /** Reads the operations. Malformed ones are refused here; returns the others. */
  private prepare(
    operations: readonly Offer_Operation[],
    { framework, agent, role }: { framework: Framework; agent: Agent; role: string },
  ): PreparedOperation[] {
    const prepared: PreparedOperation[] = [];
    for (const operation of operations) {
      const result = prepareOperation(operation, { frameworkId: framework.id, role, bundles: this.bundles });
      const problem = result.ok ? feedbackProblem(operation, agent) : result.error;
      if (result.ok && problem === undefined) prepared.push(result.value);
      else this.refuse(framework, operation, problem ?? "");
    }
    return prepared;
  }

  private refuse(framework: Framework, operation: Offer_Operation, problem: string): void {
    if (!isLaunch(operation)) {
      this.operations.refuse(framework, operation, problem);
      return;
    }
    const group = operation.type === OperationType.LAUNCH_GROUP;
    this.refuseTasks(framework, tasksOf(operation), {
      state: TaskState.TASK_ERROR,
      reason: group ? Reason.REASON_TASK_GROUP_INVALID : Reason.REASON_TASK_INVALID,
      message: problem,
    });
  }

  private refuseTasks(framework: Framework, tasks: readonly TaskInfo[], refusal: Refusal): void {
    const now = this.context.clock.now();
    for (const { task_id: taskId, agent_id: agentId } of tasks) {
      const status = masterStatus({ taskId, agentId, now, ...refusal });
      this.context.metrics.countEnd(status);
      framework.send(update(status));
    }
  }
}

/** Why operation feedback is impossible, if the scheduler asked for it. */
function feedbackProblem(operation: Offer_Operation, agent: Agent): string | undefined {
  if (operation.id === undefined) return undefined;
  const type = OperationType[operation.type ?? OperationType.UNKNOWN];
  if (isLaunch(operation)) return `The \`id\` field cannot be set on ${type} operations`;
  if (!agent.can(Capability.RESOURCE_PROVIDER)) {
    return `Operation requested feedback, but agent ${agent.id} does not have the required RESOURCE_PROVIDER capability`;
  }
  return agent.can(Capability.AGENT_OPERATION_FEEDBACK) ||
    operationResources(operation).some((one) => one.provider_id !== undefined)
    ? undefined
    : `Operation on agent default resources requested feedback, but agent ${agent.id} does not have the required AGENT_OPERATION_FEEDBACK and RESOURCE_PROVIDER capabilities`;
}
