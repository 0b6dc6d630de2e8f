import type { Clock, Timer } from "../../sdk/contracts/clock.js";
import type { Logger } from "../../sdk/contracts/logger.js";
import { messageOf } from "../../sdk/errors/index.js";
import { isZooKeeperError, type ZooKeeperClient } from "../../sdk/zookeeper/index.js";
import { type Member, membersOf } from "./member.js";

const FIRST_RETRY_MS = 1000;
const LONGEST_RETRY_MS = 60_000;

export interface GroupOptions {
  readonly client: ZooKeeperClient;
  /** Parent of the candidates' nodes. */
  readonly path: string;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Called before each look at the path, while connected: creates what has to exist. Rejects with ZooKeeperError. */
  readonly prepare?: () => Promise<void>;
  /**
   * Receives all candidates, the leader first. Rejects with ZooKeeperError; answers `again` if they turn out to have changed in the
   * meantime.
   */
  readonly members: (members: readonly Member[]) => Promise<"done" | "again">;
}

/**
 * Follows the candidates below a path: looks after every connect and every change, one look at a time. A look that is cut short by a lost
 * connection is repeated on the next connection; one that fails for another reason is retried with growing pauses.
 */
export class Group {
  private looking = false;
  private stale = false;
  private retry: Timer | undefined;
  private retryMs = FIRST_RETRY_MS;
  private unlisten: (() => void) | undefined;
  private readonly changed = (): void => this.look();

  constructor(private readonly options: GroupOptions) {}

  start(): void {
    this.unlisten = this.options.client.listen({ connected: () => this.look() });
    this.look();
  }

  /** A look in progress ends with the client's connection. */
  stop(): void {
    this.unlisten?.();
    this.unlisten = undefined;
    this.retry?.cancel();
  }

  /** Looks now or, if a look is in progress, once more after it. */
  look(): void {
    if (this.unlisten === undefined) return;
    this.stale = true;
    this.retry?.cancel();
    if (!this.looking) void this.lookAll();
  }

  /** Repeats until nothing changed during the last look. Never rejects. */
  private async lookAll(): Promise<void> {
    const { client } = this.options;
    this.looking = true;
    while (this.stale && client.connected && this.unlisten !== undefined) {
      this.stale = false;
      const session = client.sessionId;
      try {
        await this.lookOnce();
        this.retryMs = FIRST_RETRY_MS;
      } catch (error) {
        if (session !== client.sessionId || isZooKeeperError(error, "connection-loss", "session-expired")) {
          // If a connection is back, look again at once; otherwise the next connection triggers the look.
          this.stale = client.connected;
        } else this.lookLater(error);
      }
    }
    this.looking = false;
  }

  private lookLater(error: unknown): void {
    const { clock, logger, path } = this.options;
    if (this.unlisten === undefined) return;
    logger.error({ path, retryMs: this.retryMs }, `ZooKeeper: ${messageOf(error)}`);
    this.retry = clock.setTimeout(() => this.look(), this.retryMs);
    this.retryMs = Math.min(2 * this.retryMs, LONGEST_RETRY_MS);
  }

  private async lookOnce(): Promise<void> {
    const { client, path, prepare, members } = this.options;
    await prepare?.();
    const children = await this.children(client, path);
    if (children === undefined) this.stale = true;
    else if ((await members(membersOf(children))) === "again") this.stale = true;
  }

  /** Undefined: the path was created in the meantime. */
  private async children(client: ZooKeeperClient, path: string): Promise<string[] | undefined> {
    try {
      return await client.getChildren(path, this.changed);
    } catch (error) {
      if (!isZooKeeperError(error, "no-node")) throw error;
      return (await client.exists(path, this.changed)) === undefined ? [] : undefined;
    }
  }
}
