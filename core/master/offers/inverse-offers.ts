import {
  type InverseOfferStatus,
  InverseOfferStatus_Status as Status,
} from "../../../proto/gen/mesos/v1/allocator/allocator.js";
import type { Filters, OfferID, Unavailability } from "../../../proto/gen/mesos/v1/mesos.js";
import type { MasterContext } from "../context.js";
import { inverseOffersEvent, rescindInverseOffer } from "../frameworks/events.js";
import type { Framework } from "../frameworks/framework.js";
import { timeInfo } from "../tasks/status.js";
import { filtersOf } from "./filters.js";
import { InverseOfferEntry } from "./inverse-offer.js";
import { OfferExpiry } from "./offer-expiry.js";

interface Proposal {
  readonly frameworkId: string;
  readonly agents: ReadonlyMap<string, Unavailability>;
}

/** A scheduler's answer to inverse offers. */
interface InverseAnswer {
  readonly inverse_offer_ids: readonly OfferID[];
  readonly filters?: Filters | undefined;
}

/**
 * Asks frameworks, when the allocator says so, whether they can do without agents whose maintenance is scheduled, and handles their
 * answers.
 */
export class InverseOffers {
  /** What the allocator has proposed in this turn. */
  private proposals: Proposal[] = [];
  private readonly expiry: OfferExpiry<InverseOfferEntry>;

  constructor(private readonly context: MasterContext) {
    this.expiry = new OfferExpiry({
      context,
      offers: () => context.cluster.inverseOffers.values(),
      expired: (offer) => this.rescind(offer),
    });
  }

  /** The allocator may call this from within any call to it, so it is handled once the caller has finished its own change. */
  propose(proposal: Proposal): void {
    if (this.proposals.length === 0) queueMicrotask(() => this.send());
    this.proposals.push(proposal);
  }

  private send(): void {
    const { proposals } = this;
    this.proposals = [];
    for (const proposal of proposals) this.sendTo(proposal);
  }

  private sendTo({ frameworkId, agents }: Proposal): void {
    const { cluster, allocator, clock, ids, logger } = this.context;
    const framework = cluster.frameworks.get(frameworkId);
    const made: InverseOfferEntry[] = [];
    for (const [agentId, unavailability] of agents) {
      const agent = cluster.agents.get(agentId);
      if (
        !framework?.connected ||
        !framework.active ||
        !agent?.active ||
        agent.unavailability === undefined
      ) {
        // The framework will be asked again when it can answer.
        allocator.updateInverseOffer({ frameworkId, agentId });
        continue;
      }
      const id = ids.nextOffer();
      const madeAt = clock.monotonic();
      const offer = new InverseOfferEntry({ id, framework, agent, unavailability, madeAt });
      cluster.inverseOffers.set(id, offer);
      framework.inverseOfferEntries.add(offer);
      agent.inverseOffers.add(offer);
      this.expiry.made();
      made.push(offer);
    }
    if (framework === undefined || made.length === 0) return;
    logger.debug({ framework: frameworkId, offers: made.map(({ id }) => id) }, "Sending inverse offers");
    framework.send(inverseOffersEvent(made.map(({ message }) => message)));
  }

  accept(framework: Framework, answer: InverseAnswer): void {
    this.answer(framework, answer, Status.ACCEPT);
  }

  decline(framework: Framework, answer: InverseAnswer): void {
    this.answer(framework, answer, Status.DECLINE);
  }

  /** An inverse offer that no longer exists was rescinded or answered; one of another framework is ignored. */
  private answer(
    framework: Framework,
    { inverse_offer_ids: ids, filters }: InverseAnswer,
    said: Status,
  ): void {
    const { cluster, allocator, clock, logger } = this.context;
    for (const { value = "" } of ids) {
      const offer = cluster.inverseOffers.get(value);
      if (offer?.framework !== framework) {
        logger.warn(
          { framework: framework.id, offer: value },
          "Ignored the answer to an inverse offer that is gone",
        );
        continue;
      }
      const status: InverseOfferStatus = {
        status: said,
        framework_id: framework.idMessage,
        timestamp: timeInfo(clock.now()),
      };
      this.remove(offer);
      const [frameworkId, agentId] = [framework.id, offer.agent.id];
      allocator.updateInverseOffer({ frameworkId, agentId, status, filters: filtersOf(filters) });
    }
  }

  /** Rescinds an inverse offer and notifies the scheduler. */
  rescind(offer: InverseOfferEntry): void {
    offer.framework.send(rescindInverseOffer(offer.id));
    this.discard(offer);
  }

  rescindAll(offers: Iterable<InverseOfferEntry>): void {
    for (const offer of [...offers]) this.rescind(offer);
  }

  /** The scheduler that held them need not know. */
  discardAll(offers: Iterable<InverseOfferEntry>): void {
    for (const offer of [...offers]) this.discard(offer);
  }

  private discard(offer: InverseOfferEntry): void {
    this.remove(offer);
    // The allocator no longer cares about an agent that is being removed.
    if (this.context.cluster.agents.get(offer.agent.id) !== offer.agent) return;
    this.context.allocator.updateInverseOffer({ frameworkId: offer.framework.id, agentId: offer.agent.id });
  }

  private remove(offer: InverseOfferEntry): void {
    this.context.cluster.inverseOffers.delete(offer.id);
    offer.framework.inverseOfferEntries.delete(offer);
    offer.agent.inverseOffers.delete(offer);
  }

  stop(): void {
    this.expiry.stop();
    this.proposals = [];
  }
}
