import type { OfferID } from "../../../proto/gen/mesos/v1/mesos.js";
import type { Cluster } from "../cluster.js";
import type { Framework } from "../frameworks/framework.js";
import type { OfferEntry } from "../offers/offer.js";

export type OffersResult = { readonly offers: readonly OfferEntry[] } | { readonly problem: string };

/**
 * The offers that an ACCEPT names. They must be the framework's own, outstanding, and all of one agent and one role; otherwise what is
 * wrong, in Mesos's words.
 * Source: src/master/validation.cpp, namespace `offer`.
 */
export function findOffers(ids: readonly OfferID[], cluster: Cluster, framework: Framework): OffersResult {
  if (ids.length === 0) return { problem: "No offers specified" };
  const values = new Set<string>();
  for (const { value = "" } of ids) {
    if (values.has(value)) return { problem: `Duplicate offer ${value} in offer list` };
    values.add(value);
  }
  const offers: OfferEntry[] = [];
  for (const id of values) {
    const offer = cluster.offers.get(id);
    if (offer === undefined) return { problem: `Offer ${id} is no longer valid` };
    offers.push(offer);
  }
  const problem = validateTogether(offers, framework);
  return problem === undefined ? { offers } : { problem };
}

function validateTogether(offers: readonly OfferEntry[], framework: Framework): string | undefined {
  const foreign = offers.find((offer) => offer.framework !== framework);
  if (foreign !== undefined) {
    return `Offer ${foreign.id} has invalid framework ${foreign.framework.id} while framework ${framework.id} is expected`;
  }
  const [{ role, agent } = {}] = offers;
  const otherRole = offers.find((offer) => offer.role !== role);
  if (otherRole !== undefined) {
    return `Aggregated offers must be allocated to the same role. Offer ${otherRole.id} uses role '${otherRole.role} but another is using role '${role}`;
  }
  const otherAgent = offers.find((offer) => offer.agent !== agent);
  if (otherAgent !== undefined) {
    return `Aggregated offers must belong to one single agent. Offer ${otherAgent.id} uses agent ${otherAgent.agent.id} and agent ${agent?.id}`;
  }
  return undefined;
}
