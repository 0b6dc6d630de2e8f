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

/** Resolves a host name (or an address in text form) to an IPv4 address. */
export type Resolve = (host: string) => Promise<string>;

export interface StandaloneDetectorOptions {
  readonly address: MasterAddress;
  readonly resolve: Resolve;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

/** Follows one master at a fixed address. Until its name is resolved no leader is known. */
export class StandaloneDetector implements Election {
  private leader: MasterInfo | undefined;
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
    const { address, resolve, clock, random, logger } = this.options;
    try {
      const ip = await resolve(address.host);
      if (this.stopped) return;
      this.leader = masterInfoOf({ address, ip, uuid: random.uuid() });
    } catch (error) {
      if (this.stopped) return;
      logger.warn(
        { host: address.host, retryMs },
        `cannot resolve the master's host name: ${messageOf(error)}`,
      );
      this.retry = clock.setTimeout(() => void this.detect(Math.min(2 * retryMs, LONGEST_RETRY_MS)), retryMs);
      return;
    }
    for (const watcher of [...this.watchers]) watcher(this.leader);
  }
}
