import type { FrameworkInfo } from "../../proto/gen/mesos/v1/mesos.js";
import { Call, Call_Type, type OfferConstraints } from "../../proto/gen/mesos/v1/scheduler/scheduler.js";
import type { PartialMessage } from "../client/partial.js";
import type { FrameworkUpdate } from "./calls.js";
import { frameworkInfo, type SchedulerClientOptions } from "./options.js";

/** What a client subscribes with: it is the same at every subscription, but for the id and what UPDATE_FRAMEWORK changed. */
export class Subscription {
  private info: FrameworkInfo;
  private suppressedRoles: readonly string[];
  private offerConstraints: PartialMessage<OfferConstraints> | undefined;

  constructor(private readonly options: SchedulerClientOptions) {
    this.info = frameworkInfo(options);
    this.suppressedRoles = options.suppressedRoles ?? [];
    this.offerConstraints = options.offerConstraints;
  }

  get frameworkId(): FrameworkInfo["id"] {
    return this.info.id;
  }

  assign(id: FrameworkInfo["id"]): void {
    this.info.id = id;
  }

  subscribeCall(): Call {
    const call = Call.fromPartial({ type: Call_Type.SUBSCRIBE, subscribe: this.content() } as Call);
    if (this.info.id !== undefined) call.framework_id = this.info.id;
    return call;
  }

  /** This subscription as the update would have it; it takes its place when the master has accepted the call. */
  updated({ framework, suppressedRoles, offerConstraints }: FrameworkUpdate): Subscription {
    const updated = new Subscription({
      ...this.options,
      framework: { ...framework, name: framework.name ?? this.info.name ?? "" },
    });
    updated.suppressedRoles = suppressedRoles ?? [];
    updated.offerConstraints = offerConstraints;
    if (this.info.id !== undefined) updated.info.id = this.info.id;
    return updated;
  }

  updateCall(): PartialMessage<Call> {
    return { type: Call_Type.UPDATE_FRAMEWORK, update_framework: this.content() };
  }

  private content(): PartialMessage<NonNullable<Call["subscribe"]>> {
    const { info, offerConstraints, suppressedRoles } = this;
    return {
      framework_info: info,
      suppressed_roles: [...suppressedRoles],
      ...(offerConstraints && { offer_constraints: offerConstraints }),
    };
  }
}
