import type { Call_Decline } from "../../../proto/gen/mesos/v1/scheduler/scheduler.js";
import { validateRole } from "../../../sdk/roles/index.js";
import type { MasterContext } from "../context.js";
import type { Framework } from "../frameworks/framework.js";
import type { Frameworks } from "../frameworks/frameworks.js";
import { filtersOf } from "./filters.js";
import type { Offers } from "./offers.js";

/** The calls about offers other than ACCEPT: DECLINE, SUPPRESS, REVIVE, REQUEST. */
export class OfferCalls {
  constructor(
    private readonly context: MasterContext,
    private readonly offers: Offers,
    private readonly frameworks: Frameworks,
  ) {}

  decline(framework: Framework, call: Call_Decline): void {
    const { cluster, metrics } = this.context;
    metrics.counters.messages_decline_offers.inc();
    const filters = filtersOf(call.filters);
    for (const { value = "" } of call.offer_ids) {
      const offer = cluster.offers.get(value);
      // An offer that no longer exists was rescinded or used; one of another framework is ignored.
      if (offer?.framework !== framework) continue;
      framework.metrics.offersDeclined.inc();
      this.offers.discard(offer, filters);
    }
  }

  suppress(framework: Framework, roles: readonly string[]): void {
    this.context.metrics.counters.messages_suppress_offers.inc();
    if (!this.areOwn(framework, roles, "suppress")) return;
    this.context.allocator.suppress(framework.id, roles);
    const added = roles.length === 0 ? framework.roles : roles;
    this.frameworks.suppress(framework, new Set([...framework.suppressed, ...added]));
  }

  revive(framework: Framework, roles: readonly string[]): void {
    this.context.metrics.counters.messages_revive_offers.inc();
    if (!this.areOwn(framework, roles, "revive")) return;
    this.context.allocator.revive(framework.id, roles);
    const kept = roles.length === 0 ? [] : [...framework.suppressed].filter((role) => !roles.includes(role));
    this.frameworks.suppress(framework, new Set(kept));
  }

  /** Only counted: allocators take no requests. */
  request(): void {
    this.context.metrics.counters.messages_resource_request.inc();
  }

  /** A single role that is not the framework's own invalidates the whole call. */
  private areOwn(framework: Framework, roles: readonly string[], call: string): boolean {
    const wrong = roles.find((role) => validateRole(role) !== undefined || !framework.roles.includes(role));
    if (wrong === undefined) return true;
    this.context.logger.warn(
      { framework: framework.id, role: wrong, call },
      "Dropped a call: not one of the framework's roles",
    );
    return false;
  }
}
