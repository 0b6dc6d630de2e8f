import type { Logger } from "../../sdk/contracts/logger.js";
import { OncePerPeer } from "../../sdk/http/index.js";

/** Of which a body is coming in. */
export interface BodyHolder {
  readonly peer: string;
  /** Ends its connection. */
  cutOff(): void;
}

/** Bounds what all bodies that are still coming take up: what is too much is the largest's fault. */
export class BodyBudget {
  private readonly held = new Map<BodyHolder, number>();
  private readonly strangers = new OncePerPeer();
  private total = 0;

  /** @param limit bytes */
  constructor(
    private readonly limit: number,
    private readonly logger: Logger,
  ) {}

  /** What the holder's body takes up now. The holder may be cut off within this call. */
  note(holder: BodyHolder, bytes: number): void {
    this.total += bytes - (this.held.get(holder) ?? 0);
    this.held.set(holder, bytes);
    while (this.total > this.limit) this.shed();
  }

  /** Its body is whole, or will never be. */
  release(holder: BodyHolder): void {
    this.total -= this.held.get(holder) ?? 0;
    this.held.delete(holder);
  }

  private shed(): void {
    let [largest, most]: [BodyHolder | undefined, number] = [undefined, -1];
    for (const [holder, bytes] of this.held) if (bytes > most) [largest, most] = [holder, bytes];
    if (largest === undefined) return;
    this.release(largest);
    const { peer } = largest;
    if (this.strangers.first(hostOf(peer), "body")) {
      const facts = { peer, bytes: most, limit: this.limit };
      this.logger.warn(
        facts,
        "Cut off the largest of the requests that are coming in: together they take up too much",
      );
    }
    largest.cutOff();
  }
}

/** Of `ip:port`. */
const hostOf = (peer: string): string => peer.slice(0, peer.lastIndexOf(":"));
