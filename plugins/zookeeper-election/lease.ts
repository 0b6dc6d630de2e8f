import type { Clock, Timer } from "../../sdk/contracts/clock.js";
import { isZooKeeperError, type ZooKeeperClient } from "../../sdk/zookeeper/index.js";

/**
 * The part of the session's timeout for which a confirmation holds. The rest covers what the server that leads the ensemble may
 * know of the session later than the one that is talked to: half a tick, and sessions have two ticks at least.
 */
const SAFE_PART = 0.75;

/** Confirmations in that time, so that one may be lost. */
const RENEWALS = 3;

export interface LeaseOptions {
  readonly client: ZooKeeperClient;
  readonly clock: Clock;
  /** The node whose being there is the leadership. */
  readonly node: string;
  /** Called once. */
  readonly lost: (reason: string) => void;
}

/**
 * Knows until when this process may act as the leader. Its session must not have ended, and a server that answers pings is no proof of
 * that: cut off from the others it goes on answering while they give the session up. So the node is checked in a transaction, which
 * more than half of the servers have to agree to, and each one holds for less than the session's timeout from when it was sent.
 */
export class Lease {
  private validUntil = 0;
  private deadline: Timer | undefined;
  private renewal: Timer | undefined;
  private underWay = 0;
  private ended = false;
  private readonly unlisten: () => void;

  constructor(private readonly options: LeaseOptions) {
    this.unlisten = options.client.listen({
      connected: () => this.renew(),
      expired: (reason) => this.lose(`the ZooKeeper session has expired: ${reason}`),
    });
  }

  /** Nobody else can have been elected yet. */
  holds(): boolean {
    return !this.ended && this.options.clock.monotonic() < this.validUntil;
  }

  /** The first confirmation. False: it came too late to hold. Rejects with ZooKeeperError. */
  async acquire(): Promise<boolean> {
    await this.confirm();
    if (!this.holds()) return false;
    this.watchOver();
    this.schedule();
    return true;
  }

  end(): void {
    this.ended = true;
    this.unlisten();
    this.deadline?.cancel();
    this.renewal?.cancel();
  }

  private async confirm(): Promise<void> {
    const { client, clock, node } = this.options;
    const sentAt = clock.monotonic();
    await client.multi([{ kind: "check", path: node }]);
    this.validUntil = Math.max(this.validUntil, sentAt + SAFE_PART * client.sessionTimeout);
  }

  private renew(): void {
    // Before the first confirmation there is nothing to renew.
    if (this.deadline === undefined) return;
    this.underWay++;
    this.confirm()
      .catch((error: unknown) => {
        if (isZooKeeperError(error, "no-node")) this.lose("its node in ZooKeeper is gone");
        else if (isZooKeeperError(error, "session-expired")) this.lose("the ZooKeeper session has expired");
        // Any other failure leaves open whether the node is there: the deadline decides.
      })
      .finally(() => this.underWay--);
  }

  private schedule(): void {
    const { client, clock } = this.options;
    const wait = (SAFE_PART * client.sessionTimeout) / RENEWALS;
    this.renewal = clock.setTimeout(() => {
      // While there is time another server may do better.
      if (this.underWay > 0) client.reconnect(`no transaction within ${Math.round(wait)} ms`);
      else this.renew();
      this.schedule();
    }, wait);
  }

  private watchOver(): void {
    const { client, clock } = this.options;
    const left = this.validUntil - clock.monotonic();
    if (left > 0) this.deadline = clock.setTimeout(() => this.watchOver(), left);
    else
      this.lose(
        `ZooKeeper has not confirmed it for ${Math.round(SAFE_PART * client.sessionTimeout - left)} ms`,
      );
  }

  private lose(reason: string): void {
    if (this.ended) return;
    this.end();
    this.options.lost(reason);
  }
}
