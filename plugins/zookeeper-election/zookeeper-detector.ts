import type { MasterInfo } from "../../proto/gen/mesos/v1/mesos.js";
import type { Clock } from "../../sdk/contracts/clock.js";
import type { Candidacy, Election } from "../../sdk/contracts/election.js";
import type { Logger } from "../../sdk/contracts/logger.js";
import { TepuiError } from "../../sdk/errors/index.js";
import type { ZooKeeperClient } from "../../sdk/zookeeper/index.js";
import { Group } from "./group.js";
import { LeaderWatch } from "./leader-watch.js";

export interface ZooKeeperDetectorOptions {
  readonly client: ZooKeeperClient;
  readonly path: string;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Follows the leader of an election without taking part in it or creating anything in ZooKeeper. */
export class ZooKeeperDetector implements Election {
  private readonly group: Group;
  private readonly leader: LeaderWatch;

  constructor({ client, path, clock, logger }: ZooKeeperDetectorOptions) {
    this.leader = new LeaderWatch(client, path, logger);
    this.group = new Group({ client, path, clock, logger, members: ([first]) => this.leader.follow(first) });
  }

  contend(_info: MasterInfo, _candidacy: Candidacy): () => Promise<void> {
    throw new TepuiError("TEPUI_ELECTION_DETECT_ONLY");
  }

  watch(changed: (leader: MasterInfo | undefined) => void): () => void {
    return this.leader.watch(changed);
  }

  start(): void {
    this.group.start();
  }

  stop(): void {
    this.group.stop();
  }
}
