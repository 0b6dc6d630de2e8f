import type { Clock, Timer } from "../../sdk/contracts/clock.js";
import { isZooKeeperError, type ZooKeeperClient } from "../../sdk/zookeeper/index.js";

/**
 * The fraction of the session timeout for which a confirmation holds. The rest allows for the ensemble's leader hearing of the session
 * later than the server we talk to: by up to half a tick, and a session timeout is at least two ticks.
 */
const SAFE_PART = 0.75;

/** Confirmations within that time, so that one may be lost. */
const RENEWALS = 3;

export interface LeaseOptions {
  readonly client: ZooKeeperClient;
  readonly clock: Clock;
  /** Leading means that this node exists. */
  readonly node: string;
  /** Called once. */
  readonly lost: (reason: string) => void;
}

/**
 * Knows until when this process may act as the leader. Its session must not have expired, and a server that answers pings does not prove
 * that: cut off from the ensemble, it keeps answering while the others expire the session. So the node is checked in a transaction, which a
 * majority has to agree to; each confirmation holds for less than the session timeout, counted from when it was sent.
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

  /** True while nobody else can have been elected. */
  holds(): boolean {
    return !this.ended && this.options.clock.monotonic() < this.validUntil;
  }

  /** Waits for the first confirmation. False: it took too long to be of use. Rejects with ZooKeeperError. */
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
    // `acquire` makes the first confirmation.
    if (this.deadline === undefined) return;
    this.underWay++;
    this.confirm()
      .catch((error: unknown) => {
        if (isZooKeeperError(error, "no-node")) this.lose("its node in ZooKeeper is gone");
        else if (isZooKeeperError(error, "session-expired")) this.lose("the ZooKeeper session has expired");
        // After any other failure the node may still exist: the deadline decides.
      })
      .finally(() => this.underWay--);
  }

  private schedule(): void {
    const { client, clock } = this.options;
    const wait = (SAFE_PART * client.sessionTimeout) / RENEWALS;
    this.renewal = clock.setTimeout(() => {
      // There is time left to try another server.
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
