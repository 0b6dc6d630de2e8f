import type { Clock } from "../../../sdk/contracts/clock.js";
import { OncePerPeer } from "../../../sdk/http/index.js";

const AT_MOST = 60;
const MINUTE_MS = 60_000;

/** Keeps senders that repeat themselves from filling the log, even if they give another name each time. */
export class Complaints {
  private readonly senders = new OncePerPeer();
  private began = Number.NEGATIVE_INFINITY;
  private logged = 0;
  private omitted = 0;

  constructor(private readonly clock: Pick<Clock, "monotonic">) {}

  /**
   * What to log in addition; undefined: log nothing, because this sender has been mentioned already or too much was logged within this
   * minute.
   */
  about(sender: string, what: string): { readonly omitted?: number } | undefined {
    if (!this.senders.first(sender, what)) return undefined;
    const now = this.clock.monotonic();
    if (now - this.began >= MINUTE_MS) {
      this.began = now;
      this.logged = 0;
    }
    if (++this.logged > AT_MOST) {
      this.omitted++;
      return undefined;
    }
    const { omitted } = this;
    this.omitted = 0;
    return omitted === 0 ? {} : { omitted };
  }
}
