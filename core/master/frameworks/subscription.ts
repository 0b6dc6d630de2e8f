import type { FrameworkInfo } from "../../../proto/gen/mesos/v1/mesos.js";
import {
  type Call_Subscribe,
  Call_Type,
  type Call_UpdateFramework,
} from "../../../proto/gen/mesos/v1/scheduler/scheduler.js";
import type {
  SchedulerConnection,
  SchedulerSession,
  SchedulerSubscription,
} from "../../../sdk/contracts/scheduler-service.js";
import { TepuiError } from "../../../sdk/errors/index.js";
import { type MasterContext, nowSeconds } from "../context.js";
import { invalidCall, validatePrincipal } from "../validation/call.js";
import {
  type SubscriptionOptions,
  validateFrameworkInfo,
  validateFrameworkUpdate,
  validateSubscriptionOptions,
} from "../validation/framework.js";
import { setText } from "../validation/text.js";
import { errorEvent } from "./events.js";
import { type Framework, rolesOf } from "./framework.js";
import type { FrameworkSettings, Frameworks } from "./frameworks.js";

export interface Subscription extends SchedulerSubscription {
  /** Address of a scheduler on the v0 driver. */
  readonly pid?: string;
}

/** SUBSCRIBE and UPDATE_FRAMEWORK: which frameworks may subscribe, resubscribe or change, and how. */
export class Subscriptions {
  constructor(
    private readonly context: MasterContext,
    private readonly frameworks: Frameworks,
  ) {}

  /**
   * Invalid content is answered with an ERROR event on the stream, which then ends.
   *
   * @throws TepuiError TEPUI_SCHEDULER_CALL_INVALID if the principal is not the authenticated one
   */
  subscribe({ call, principal, connection, streamId, pid }: Subscription): SchedulerSession {
    const { metrics, cluster, ids, logger } = this.context;
    const request = call.subscribe;
    const given = request?.framework_info;
    if (request === undefined || given === undefined) {
      throw invalidCall("Expecting 'subscribe' to be present");
    }
    const mismatch =
      given.principal === undefined ? undefined : validatePrincipal(principal, given.principal);
    if (mismatch !== undefined) throw invalidCall(mismatch);

    const id = given.id?.value ?? "";
    metrics.counters[id === "" ? "messages_register_framework" : "messages_reregister_framework"].inc();
    const info = given.principal === undefined && principal !== undefined ? { ...given, principal } : given;
    const problem = this.validate(info) ?? this.validateOptions(info, optionsOf(request));
    if (problem !== undefined) return this.refuse(connection, { streamId, problem, info });

    const stream = { connection, streamId, pid };
    let framework: Framework;
    if (id === "") {
      const settings = { info: { ...info, id: { value: ids.nextFramework() } }, ...optionsOf(request) };
      framework = this.frameworks.add(settings);
      framework.metrics.countCall(Call_Type.SUBSCRIBE);
      this.frameworks.connect(framework, stream);
      this.context.watchers.frameworkAdded(framework);
    } else {
      framework = cluster.frameworks.get(id) ?? this.frameworks.recover(info);
      const kept = this.keepImmutable(framework.info, info);
      const refusal = validateFrameworkUpdate(framework.info, kept);
      if (refusal !== undefined) return this.refuse(connection, { streamId, problem: refusal, info });
      framework.metrics.countCall(Call_Type.SUBSCRIBE);
      this.resubscribe(framework, { info: kept, ...optionsOf(request) });
      this.frameworks.connect(framework, stream);
      this.changed(framework);
    }
    logger.info({ framework: framework.id, name: info.name }, "A framework subscribed");
    return { streamId, disconnected: () => this.frameworks.disconnected(framework, stream) };
  }

  private resubscribe(framework: Framework, settings: FrameworkSettings): void {
    this.frameworks.update(framework, settings);
    const now = nowSeconds(this.context);
    // For this master a recovered framework is new.
    if (framework.recovered) framework.registeredTime = now;
    else framework.reregisteredTime = now;
  }

  /**
   * UPDATE_FRAMEWORK.
   *
   * @throws TepuiError TEPUI_SCHEDULER_FRAMEWORK_UPDATE_INVALID
   */
  update(framework: Framework, request: Call_UpdateFramework): void {
    const info = request.framework_info;
    if (info === undefined) throw updateError("Supplied FrameworkInfo is not valid: it is missing");
    const invalid = this.validate(info);
    if (invalid !== undefined) throw updateError(`Supplied FrameworkInfo is not valid: ${invalid}`);
    const refused = validateFrameworkUpdate(framework.info, info);
    if (refused !== undefined) throw updateError(`FrameworkInfo update is not valid: ${refused}`);
    const wrong = this.validateOptions(info, optionsOf(request));
    if (wrong !== undefined) throw updateError(`'UpdateFramework' call is not valid: ${wrong}`);

    const before = framework.encodedInfo;
    this.frameworks.update(framework, { info, ...optionsOf(request) });
    if (Buffer.compare(before, framework.encodedInfo) !== 0) {
      this.changed(framework);
    }
  }

  /** Publishes the changed framework to everybody concerned. */
  private changed(framework: Framework): void {
    const { cluster, messages, watchers } = this.context;
    watchers.frameworkUpdated(framework);
    messages.updateFramework(cluster.agents.values(), framework);
  }

  /** What is wrong with the info for this master, in Mesos's words. */
  private validate(info: FrameworkInfo): string | undefined {
    const { cluster, options } = this.context;
    const problem = validateFrameworkInfo(info);
    if (problem !== undefined) return problem;
    const unknown = rolesOf(info).filter((role) => !this.allowed(role));
    if (unknown.length > 0) return `Roles ${setText(unknown)} are not present in the master's --roles`;
    if (info.user === "root" && !options.rootSubmissions) {
      return "User 'root' is not allowed to run frameworks without --root_submissions set";
    }
    return cluster.completedFrameworks.has(info.id?.value ?? "") ? "Framework has been removed" : undefined;
  }

  /** What is wrong with the options that accompany the info. Only the allocator understands offer constraints. */
  private validateOptions(info: FrameworkInfo, options: SubscriptionOptions): string | undefined {
    const problem = validateSubscriptionOptions(rolesOf(info), options);
    if (problem !== undefined || options.offerConstraints === undefined) return problem;
    const wrong = this.context.allocator.validateOfferConstraints(options.offerConstraints);
    return wrong === undefined ? undefined : `Offer constraints are not valid: ${wrong}`;
  }

  private allowed(role: string): boolean {
    const { roles } = this.context.options;
    return roles === undefined || role === "*" || roles.has(role);
  }

  /** `user` and `checkpoint` cannot change: new values are ignored. */
  private keepImmutable(old: FrameworkInfo, info: FrameworkInfo): FrameworkInfo {
    const kept: FrameworkInfo = { ...info, user: old.user };
    if ((info.checkpoint ?? false) !== (old.checkpoint ?? false)) kept.checkpoint = old.checkpoint ?? false;
    if (kept.user !== info.user || kept.checkpoint !== info.checkpoint) {
      this.context.logger.warn(
        { framework: old.id?.value },
        "A framework cannot change its user or checkpointing",
      );
    }
    return kept;
  }

  private refuse(
    connection: SchedulerConnection,
    { streamId, problem, info }: { streamId: string; problem: string; info: FrameworkInfo },
  ): SchedulerSession {
    this.context.logger.info({ name: info.name, problem }, "Refused the subscription of a framework");
    connection.send(errorEvent(problem));
    connection.close();
    return { streamId, disconnected: () => {} };
  }
}

function optionsOf(request: Call_Subscribe | Call_UpdateFramework): SubscriptionOptions {
  return {
    suppressedRoles: [...new Set(request.suppressed_roles)],
    offerConstraints: request.offer_constraints,
  };
}

const updateError = (text: string) => new TepuiError("TEPUI_SCHEDULER_FRAMEWORK_UPDATE_INVALID", { text });
