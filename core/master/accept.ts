import {
  type Offer_Operation,
  OperationState,
  Offer_Operation_Type as OperationType,
  TaskStatus_Reason as Reason,
  type TaskInfo,
  TaskState,
} from "../../proto/gen/mesos/v1/mesos.js";
import type { Call_Accept } from "../../proto/gen/mesos/v1/scheduler/scheduler.js";
import { Resources } from "../../sdk/resources/index.js";
import { Bundles } from "./bundles.js";
import type { MasterContext } from "./context.js";
import { operationUpdate, update } from "./events.js";
import type { Framework } from "./framework.js";
import type { Launches } from "./launch.js";
import { filtersOf, type Offers } from "./offers.js";
import { isLaunch, type PreparedOperation, prepareOperation, tasksOf } from "./operation.js";
import { masterStatus } from "./status.js";
import { findOffers } from "./validation/offers.js";

/** Why tasks of an ACCEPT do not start. */
interface Refusal {
  readonly state: TaskState;
  readonly reason: Reason;
  readonly message: string;
}

/** ACCEPT: applies a list of operations, in order, to the resources of some offers; what is left goes back. */
export class Accepts {
  private readonly bundles = new Bundles();

  constructor(
    private readonly context: MasterContext,
    private readonly offers: Offers,
    private readonly launches: Launches,
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
    const prepared = this.prepare(framework, call.operations, role);

    for (const offer of offers) this.offers.remove(offer);
    framework.metrics.offersAccepted.inc(offers.length);
    let left = Resources.sum(offers.map(({ resources }) => resources));
    // Copies of a shared volume are not used up: any number of tasks may have it.
    const shared = left.shared();
    for (const operation of prepared) {
      const available = shared.isEmpty ? left : left.nonShared().add(shared);
      const used = this.launches.apply(operation, { framework, agent, available });
      left = left.subtract(used);
    }
    if (left.isEmpty) return;
    allocator.recover({
      frameworkId: framework.id,
      agentId: agent.id,
      resources: left,
      filters: filtersOf(call.filters),
    });
  }

  private countLaunch(operation: Offer_Operation): void {
    if (operation.type !== OperationType.LAUNCH) return;
    const declines = tasksOf(operation).length === 0;
    this.context.metrics.counters[declines ? "messages_decline_offers" : "messages_launch_tasks"].inc();
  }

  /** None of it happens: an offer is gone, or the offers do not fit together. */
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
      else this.refuseOperation(framework, operation, `Operation attempted with invalid offers: ${problem}`);
    }
  }

  /** The operations whose form is right; the others are refused here. */
  private prepare(
    framework: Framework,
    operations: readonly Offer_Operation[],
    role: string,
  ): PreparedOperation[] {
    const prepared: PreparedOperation[] = [];
    for (const operation of operations) {
      const result = prepareOperation(operation, { frameworkId: framework.id, role, bundles: this.bundles });
      if (result.ok && isLaunch(operation) && operation.id === undefined) prepared.push(result.value);
      else this.refuse(framework, operation, result.ok ? undefined : result.error);
    }
    return prepared;
  }

  private refuse(framework: Framework, operation: Offer_Operation, problem: string | undefined): void {
    const type = OperationType[operation.type ?? OperationType.UNKNOWN];
    if (!isLaunch(operation)) {
      const message = `This master does not support ${type} operations`;
      this.refuseOperation(framework, operation, message);
      return;
    }
    const group = operation.type === OperationType.LAUNCH_GROUP;
    this.refuseTasks(framework, tasksOf(operation), {
      state: TaskState.TASK_ERROR,
      reason: group ? Reason.REASON_TASK_GROUP_INVALID : Reason.REASON_TASK_INVALID,
      message: problem ?? `The \`id\` field cannot be set on ${type} operations`,
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

  /** Only operations with an id have somebody who waits for an answer. */
  private refuseOperation(framework: Framework, operation: Offer_Operation, message: string): void {
    this.context.logger.warn({ framework: framework.id, message }, "Refused an offer operation");
    this.context.metrics.countOperation(operation.type, OperationState.OPERATION_ERROR);
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
