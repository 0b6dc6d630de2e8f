import { Call_Type, type Call_UpdateFramework } from "../../../proto/gen/mesos/v1/scheduler/scheduler.js";
import type { SchedulerRequest } from "../../../sdk/contracts/scheduler-service.js";
import { TepuiError } from "../../../sdk/errors/index.js";
import type { MasterContext } from "../context.js";
import type { Accepts } from "../offers/accept.js";
import type { InverseOffers } from "../offers/inverse-offers.js";
import type { OfferCalls } from "../offers/offer-calls.js";
import type { Operations } from "../operations/operations.js";
import type { Reconciliation } from "../tasks/reconcile.js";
import type { TaskCalls } from "../tasks/task-calls.js";
import { validatePrincipal } from "../validation/call.js";
import type { Framework } from "./framework.js";
import type { Frameworks } from "./frameworks.js";
import type { Subscriptions } from "./subscription.js";

export interface SchedulerCallsDeps {
  readonly context: MasterContext;
  readonly frameworks: Frameworks;
  readonly subscriptions: Subscriptions;
  readonly accepts: Accepts;
  readonly offerCalls: OfferCalls;
  readonly inverseOffers: InverseOffers;
  readonly taskCalls: TaskCalls;
  readonly reconciliation: Reconciliation;
  readonly operations: Operations;
}

/** All calls except SUBSCRIBE: checks the sender and dispatches. */
export class SchedulerCalls {
  constructor(private readonly deps: SchedulerCallsDeps) {}

  /**
   * Expects a call that passed `validateCall`, so the part that its type requires is present.
   *
   * @throws TepuiError if the call is not from the connected scheduler
   */
  call(request: SchedulerRequest): void | Promise<void> {
    const { frameworks, accepts, offerCalls, inverseOffers, taskCalls, reconciliation, operations } =
      this.deps;
    const framework = this.caller(request);
    const { call } = request;
    switch (call.type) {
      case Call_Type.ACCEPT:
        return accepts.accept(framework, call.accept!);
      case Call_Type.DECLINE:
        return offerCalls.decline(framework, call.decline!);
      case Call_Type.ACKNOWLEDGE:
        return taskCalls.acknowledge(framework, call.acknowledge!);
      case Call_Type.KILL:
        return taskCalls.kill(framework, call.kill!);
      case Call_Type.RECONCILE:
        return reconciliation.reconcile(framework, call.reconcile!.tasks);
      case Call_Type.REVIVE:
        return offerCalls.revive(framework, call.revive?.roles ?? []);
      case Call_Type.SUPPRESS:
        return offerCalls.suppress(framework, call.suppress?.roles ?? []);
      case Call_Type.MESSAGE:
        return taskCalls.message(framework, call.message!);
      case Call_Type.SHUTDOWN:
        return taskCalls.shutdown(framework, call.shutdown!);
      case Call_Type.TEARDOWN:
        return frameworks.remove(framework);
      case Call_Type.UPDATE_FRAMEWORK:
        return this.update(framework, call.update_framework!);
      case Call_Type.REQUEST:
        return offerCalls.request();
      case Call_Type.ACKNOWLEDGE_OPERATION_STATUS:
        return operations.acknowledge(framework, call.acknowledge_operation_status!);
      case Call_Type.RECONCILE_OPERATIONS:
        return reconciliation.operations(framework, call.reconcile_operations!.operations);
      case Call_Type.ACCEPT_INVERSE_OFFERS:
        return inverseOffers.accept(framework, call.accept_inverse_offers!);
      case Call_Type.DECLINE_INVERSE_OFFERS:
        return inverseOffers.decline(framework, call.decline_inverse_offers!);
      default:
        throw new TepuiError("TEPUI_SCHEDULER_CALL_UNKNOWN");
    }
  }

  /** The framework that is subscribed on the stream that the call names. */
  private caller({ call, principal, streamId }: SchedulerRequest): Framework {
    const framework = this.deps.context.cluster.frameworks.get(call.framework_id?.value ?? "");
    if (framework === undefined) throw new TepuiError("TEPUI_SCHEDULER_FRAMEWORK_UNKNOWN");
    framework.metrics.countCall(call.type ?? Call_Type.UNKNOWN);
    const mismatch = validatePrincipal(principal, framework.info.principal);
    if (mismatch !== undefined) throw new TepuiError("TEPUI_SCHEDULER_CALL_INVALID", { text: mismatch });
    const { stream } = framework;
    if (stream === undefined) throw new TepuiError("TEPUI_SCHEDULER_NOT_SUBSCRIBED");
    if (streamId === undefined) throw new TepuiError("TEPUI_SCHEDULER_STREAM_ID");
    if (streamId !== stream.streamId) {
      throw new TepuiError("TEPUI_SCHEDULER_STREAM_ID", {
        text: `The stream ID '${streamId}' included in this request didn't match the stream ID currently associated with framework ID ${framework.id}`,
      });
    }
    return framework;
  }

  private async update(framework: Framework, request: Call_UpdateFramework): Promise<void> {
    this.deps.subscriptions.update(framework, request);
  }
}
