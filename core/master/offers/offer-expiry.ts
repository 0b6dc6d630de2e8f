import type { Timer } from "../../../sdk/contracts/clock.js";
import type { MasterContext } from "../context.js";

export interface OfferExpiryOptions<T> {
  readonly context: MasterContext;
  /** Oldest first. */
  readonly offers: () => Iterable<T>;
  readonly expired: (offer: T) => void;
}

/** Ends offers after `offer_timeout`. All offers last equally long, so the oldest come first and expire first. */
export class OfferExpiry<T extends { readonly madeAt: number }> {
  private timer: Timer | undefined;

  constructor(private readonly options: OfferExpiryOptions<T>) {}

  /** Must be called for every new offer. */
  made(): void {
    const { clock, options } = this.options.context;
    if (options.offerTimeout === undefined || this.timer !== undefined) return;
    this.timer = clock.setTimeout(() => this.expire(), options.offerTimeout);
  }

  stop(): void {
    this.timer?.cancel();
  }

  private expire(): void {
    const { clock, options } = this.options.context;
    const limit = options.offerTimeout ?? 0;
    this.timer = undefined;
    const expired: T[] = [];
    let next: number | undefined;
    for (const offer of this.options.offers()) {
      const left = offer.madeAt + limit - clock.monotonic();
      if (left > 0) {
        next = left;
        break;
      }
      expired.push(offer);
    }
    if (next !== undefined) this.timer = clock.setTimeout(() => this.expire(), next);
    for (const offer of expired) this.options.expired(offer);
  }
}
