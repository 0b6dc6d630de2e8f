import type { Offer } from "../../proto/gen/mesos/v1/mesos.js";
import type { PartialMessage, Resource } from "../../sdk/index.js";

type Amounts = readonly PartialMessage<Resource>[];

/** What is left of an offer while tasks are put on it. An offer may be of the little that has just become free. */
export class OfferRoom {
  private readonly free = new Map<string, number>();

  constructor(offer: Offer) {
    for (const resource of offer.resources) this.add(resource, 1);
  }

  /** Takes all of these, or nothing. Only scalars are looked at. */
  take(wanted: Amounts): boolean {
    for (const resource of wanted) this.add(resource, -1);
    // Figures are multiples of 1/1000.
    if ([...this.free.values()].every((value) => value > -0.0005)) return true;
    for (const resource of wanted) this.add(resource, 1);
    return false;
  }

  private add({ name, revocable, scalar }: Amounts[number], sign: number): void {
    const key = `${name} ${revocable !== undefined}`;
    if (scalar?.value !== undefined) this.free.set(key, (this.free.get(key) ?? 0) + sign * scalar.value);
  }
}
