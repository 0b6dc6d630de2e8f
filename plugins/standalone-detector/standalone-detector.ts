import type { MasterInfo } from "../../proto/gen/mesos/v1/mesos.js";
import type { Clock, Timer } from "../../sdk/contracts/clock.js";
import type { Candidacy, Election } from "../../sdk/contracts/election.js";
import type { Logger } from "../../sdk/contracts/logger.js";
import type { Random } from "../../sdk/contracts/random.js";
import { messageOf, TepuiError } from "../../sdk/errors/index.js";
import { type MasterAddress, masterInfoOf } from "./master-address.js";

/** The first wait after a name could not be resolved; doubled each time, up to the longest. Milliseconds. */
const FIRST_RETRY_MS = 1000;
const LONGEST_RETRY_MS = 30_000;

/** How often a name that could be resolved is looked up again: its master may have been moved. Milliseconds. */
const LOOK_AGAIN_MS = 30_000;

/** Resolves a host name (or an address in text form) to its IPv4 addresses, at least one. */
export type Resolve = (host: string) => Promise<readonly string[]>;

export interface StandaloneDetectorOptions {
  readonly address: MasterAddress;
  readonly resolve: Resolve;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

/**
 * Follows one master at a fixed address. Until its name is resolved no leader is known; afterwards the last answer counts for as long as
 * there is no other.
 */
export class StandaloneDetector implements Election {
  private leader: MasterInfo | undefined;
  /** Of the leader. */
  private ip: string | undefined;
  private resolvable = true;
  private retry: Timer | undefined;
  private stopped = false;
  private readonly watchers = new Set<(leader: MasterInfo | undefined) => void>();

  constructor(private readonly options: StandaloneDetectorOptions) {}

  contend(_info: MasterInfo, _candidacy: Candidacy): () => Promise<void> {
    throw new TepuiError("TEPUI_ELECTION_DETECT_ONLY");
  }

  watch(changed: (leader: MasterInfo | undefined) => void): () => void {
    const watcher = (leader: MasterInfo | undefined): void => changed(leader);
    this.watchers.add(watcher);
    watcher(this.leader);
    return () => this.watchers.delete(watcher);
  }

  /** Resolves the name once; a name that cannot be resolved yet is tried again in the background, with back-off. */
  async start(): Promise<void> {
    this.stopped = false;
    await this.detect(FIRST_RETRY_MS);
  }

  stop(): void {
    this.stopped = true;
    this.retry?.cancel();
    this.retry = undefined;
  }

  private async detect(retryMs: number): Promise<void> {
    const { address, resolve, clock, logger } = this.options;
    let ips: readonly string[];
    try {
      ips = await resolve(address.host);
    } catch (error) {
      if (this.stopped) return;
      // That is said once where a master is known: it may well be there all the same.
      if (this.leader === undefined || this.resolvable) {
        logger.warn(
          { host: address.host, retryMs },
          `cannot resolve the master's host name: ${messageOf(error)}`,
        );
      }
      this.resolvable = false;
      this.retry = clock.setTimeout(() => void this.detect(Math.min(2 * retryMs, LONGEST_RETRY_MS)), retryMs);
      return;
    }
    if (this.stopped) return;
    this.resolvable = true;
    if (!ips.includes(address.host))
      this.retry = clock.setTimeout(() => void this.detect(FIRST_RETRY_MS), LOOK_AGAIN_MS);
    this.follow(ips);
  }

  private follow(ips: readonly string[]): void {
    // A name may have several addresses, in another order each time.
    if (this.ip !== undefined && ips.includes(this.ip)) return;
    const { address, random, logger } = this.options;
    if (this.ip !== undefined)
      logger.info({ host: address.host, before: this.ip, now: ips[0] }, "the master has another address");
    this.ip = ips[0]!;
    this.leader = masterInfoOf({ address, ip: this.ip, uuid: random.uuid() });
    for (const watcher of [...this.watchers]) watcher(this.leader);
  }
}
