import type { Clock } from "../../../sdk/contracts/clock.js";
import { OncePerPeer } from "../../../sdk/http/index.js";

const AT_MOST = 60;
const MINUTE_MS = 60_000;

/** Keeps those who repeat themselves from filling the log, also where each time they give another name. */
export class Complaints {
  private readonly senders = new OncePerPeer();
  private began = Number.NEGATIVE_INFINITY;
  private made = 0;
  private omitted = 0;

  constructor(private readonly clock: Pick<Clock, "monotonic">) {}

  /** What to say besides; undefined: it was said of this sender already, or too much was said within this minute. */
  about(sender: string, what: string): { readonly omitted?: number } | undefined {
    if (!this.senders.first(sender, what)) return undefined;
    const now = this.clock.monotonic();
    if (now - this.began >= MINUTE_MS) {
      this.began = now;
      this.made = 0;
    }
    if (++this.made > AT_MOST) {
      this.omitted++;
      return undefined;
    }
    const { omitted } = this;
    this.omitted = 0;
    return omitted === 0 ? {} : { omitted };
  }
}
