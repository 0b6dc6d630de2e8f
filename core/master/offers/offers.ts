import type { Filters } from "../../../proto/gen/mesos/v1/mesos.js";
import type { OfferedByAgent } from "../../../sdk/contracts/allocator.js";
import type { Agent } from "../agents/agent.js";
import type { MasterContext } from "../context.js";
import { offersEvent, rescind } from "../frameworks/events.js";
import type { Framework } from "../frameworks/framework.js";
import { InverseOffers } from "./inverse-offers.js";
import { OfferEntry } from "./offer.js";
import { OfferExpiry } from "./offer-expiry.js";

interface Proposal {
  readonly role: string;
  readonly agents: OfferedByAgent;
}

/** Turns what the allocator proposes into offers, and takes them back. */
export class Offers {
  /** What the allocator has proposed in this turn. All offers of one allocation to a framework are sent in one event. */
  private proposals = new Map<string, Proposal[]>();
  private readonly expiry: OfferExpiry<OfferEntry>;
  readonly inverse: InverseOffers;

  constructor(private readonly context: MasterContext) {
    this.inverse = new InverseOffers(context);
    this.expiry = new OfferExpiry({
      context,
      offers: () => context.cluster.offers.values(),
      expired: (offer) => this.rescind(offer),
    });
  }

  /**
   * Takes a proposal of the allocator. It may come from within any call to the allocator, so it is only noted here, and handled once the
   * caller has finished its own change.
   */
  propose(offer: { frameworkId: string; role: string; agents: OfferedByAgent }): void {
    if (this.proposals.size === 0) queueMicrotask(() => this.send());
    const proposals = this.proposals.get(offer.frameworkId);
    if (proposals === undefined) this.proposals.set(offer.frameworkId, [offer]);
    else proposals.push(offer);
  }

  private send(): void {
    const { proposals } = this;
    this.proposals = new Map();
    for (const [frameworkId, list] of proposals) this.sendTo(frameworkId, list);
  }

  private sendTo(frameworkId: string, proposals: readonly Proposal[]): void {
    const { cluster, allocator, logger } = this.context;
    const framework = cluster.frameworks.get(frameworkId);
    const made: OfferEntry[] = [];
    for (const { role, agents } of proposals) {
      for (const [agentId, resources] of agents) {
        const agent = cluster.agents.get(agentId);
        if (!framework?.connected || !framework.active || !agent?.active) {
          allocator.recover({ frameworkId, agentId, resources });
          continue;
        }
        made.push(this.add(framework, agent, { role, resources }));
      }
    }
    if (framework === undefined || made.length === 0) return;
    if (logger.enabled("debug")) {
      logger.debug({ framework: frameworkId, offers: made.map(({ id }) => id) }, "Sending offers");
    }
    framework.metrics.offersSent.inc(made.length);
    framework.send(offersEvent(made.map((offer) => offer.forFramework())));
  }

  private add(
    framework: Framework,
    agent: Agent,
    { role, resources }: Pick<OfferEntry, "role" | "resources">,
  ): OfferEntry {
    const { cluster, clock, ids } = this.context;
    const id = ids.nextOffer();
    const offer = new OfferEntry({ id, framework, agent, role, resources, madeAt: clock.monotonic() });
    cluster.offers.set(id, offer);
    framework.addOffer(offer);
    agent.addOffer(offer);
    this.expiry.made();
    return offer;
  }

  /** Rescinds an offer and notifies the scheduler. */
  rescind(offer: OfferEntry, filters?: Filters): void {
    offer.framework.metrics.offersRescinded.inc();
    offer.framework.send(rescind(offer.id));
    this.discard(offer, filters);
  }

  /** Ends an offer. Its resources are free again, or withheld from the framework for as long as `filters` say. */
  discard(offer: OfferEntry, filters?: Filters): void {
    this.remove(offer);
    this.context.allocator.recover({
      frameworkId: offer.framework.id,
      agentId: offer.agent.id,
      resources: offer.resources,
      filters,
    });
  }

  /** Ends an offer whose resources the caller accounts for. */
  remove(offer: OfferEntry): void {
    this.context.cluster.offers.delete(offer.id);
    offer.framework.removeOffer(offer);
    offer.agent.removeOffer(offer);
  }

  rescindAllOf({ offers }: Agent): void {
    for (const offer of [...offers]) this.rescind(offer);
  }

  stop(): void {
    this.expiry.stop();
    this.inverse.stop();
    this.proposals.clear();
  }
}
