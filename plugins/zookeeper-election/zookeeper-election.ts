import type { MasterInfo } from "../../proto/gen/mesos/v1/mesos.js";
import type { Clock } from "../../sdk/contracts/clock.js";
import type { Candidacy, Election } from "../../sdk/contracts/election.js";
import type { Logger } from "../../sdk/contracts/logger.js";
import { inTime } from "../../sdk/time/index.js";
import { type AccessEntry, isZooKeeperError, type ZooKeeperClient } from "../../sdk/zookeeper/index.js";
import { Group } from "./group.js";
import { LeaderWatch } from "./leader-watch.js";
import { Lease } from "./lease.js";
import { encodeMasterInfo } from "./master-info-node.js";
import { MEMBER_PREFIX, type Member, membersOf } from "./member.js";

export interface ZooKeeperElectionOptions {
  readonly client: ZooKeeperClient;
  readonly path: string;
  /** Access list of the nodes that it creates. */
  readonly access: readonly AccessEntry[];
  readonly clock: Clock;
  readonly logger: Logger;
}

interface Contention {
  readonly info: MasterInfo;
  readonly candidacy: Candidacy;
}

/** The node of this process. */
interface OwnNode {
  readonly name: string;
  readonly session: bigint;
  readonly info: MasterInfo;
}

/** How long a withdrawal waits for its node to be removed. Otherwise the node goes with the session. */
const LEAVE_LIMIT_MS = 1000;

/**
 * Mesos's election of masters: each candidate creates an ephemeral, sequential node below the group's path, and the lowest number leads.
 *
 * A candidate that is not leading survives expired sessions and outages: it creates a new node. A leader loses the leadership when its node
 * or session is gone, or when its `Lease` is not confirmed in time, which is before anybody else can have been elected.
 */
export class ZooKeeperElection implements Election {
  private readonly group: Group;
  private readonly leader: LeaderWatch;
  private contention: Contention | undefined;
  private own: OwnNode | undefined;
  /** A create request broke off: this session may own a node that we do not know of. */
  private uncertain = false;
  private lease: Lease | undefined;
  private leading = false;
  private unlisten: (() => void) | undefined;

  constructor(private readonly options: ZooKeeperElectionOptions) {
    const { client, path, clock, logger } = options;
    this.leader = new LeaderWatch(client, path, logger);
    this.group = new Group({
      client,
      path,
      clock,
      logger,
      prepare: () => this.enter(),
      members: (members) => this.decide(members),
    });
  }

  contend(info: MasterInfo, candidacy: Candidacy): () => Promise<void> {
    // One process, one master: a second candidacy replaces the first, as a second start of the same master would.
    const contention = { info, candidacy };
    const replaced = this.contention;
    this.contention = contention;
    if (this.resign()) replaced?.candidacy.lost("another candidate took over");
    this.group.look();
    return async () => {
      if (this.contention !== contention) return;
      this.contention = undefined;
      this.resign();
      await inTime(this.options.clock, LEAVE_LIMIT_MS, this.leave());
    };
  }

  watch(changed: (leader: MasterInfo | undefined) => void): () => void {
    return this.leader.watch(changed);
  }

  start(): void {
    this.unlisten = this.options.client.listen({ expired: () => this.forgetNode() });
    this.group.start();
  }

  /** Whoever made the client closes it; the node stays until then. */
  stop(): void {
    this.unlisten?.();
    this.contention = undefined;
    this.resign();
    this.group.stop();
  }

  private forgetNode(): void {
    this.own = undefined;
    this.uncertain = false;
  }

  /** Creates the path and, for a candidate, its node. */
  private async enter(): Promise<void> {
    const { client, path, access } = this.options;
    const { contention } = this;
    // A node that announces an earlier candidacy has to be replaced.
    if (contention !== undefined && this.own !== undefined && this.own.info !== contention.info)
      await this.leave();
    if (this.own !== undefined) return;
    await client.createPath(path, access);
    if (contention === undefined) return;
    const session = client.sessionId;
    const name = this.uncertain ? await this.findNode(session) : undefined;
    this.uncertain = false;
    if (name === undefined) await this.createNode(contention.info, session);
    else this.own = { name, session, info: contention.info };
    // The candidate withdrew while its node was being created.
    if (this.contention === undefined) await this.leave();
  }

  private async createNode(info: MasterInfo, session: bigint): Promise<void> {
    const { client, path, access, logger } = this.options;
    try {
      const created = await client.create({
        path: `${path}/${MEMBER_PREFIX}`,
        data: encodeMasterInfo(info),
        access,
        ephemeral: true,
        sequential: true,
      });
      if (client.sessionId !== session) return;
      this.own = { name: created.slice(path.length + 1), session, info };
      logger.info({ node: created }, "stands for election");
    } catch (error) {
      this.uncertain = isZooKeeperError(error, "connection-loss") && client.sessionId === session;
      throw error;
    }
  }

  /** Finds the node of this session, if there is one. */
  private async findNode(session: bigint): Promise<string | undefined> {
    const { client, path } = this.options;
    for (const { name } of membersOf(await client.getChildren(path))) {
      if (!name.startsWith(MEMBER_PREFIX)) continue;
      const stat = await client.exists(`${path}/${name}`);
      if (stat?.ephemeralOwner === session) return name;
    }
    return undefined;
  }

  private async decide(members: readonly Member[]): Promise<"done" | "again"> {
    const [first] = members;
    const { own, contention } = this;
    if (contention === undefined || own === undefined) return this.leader.follow(first);
    if (!members.some(({ name }) => name === own.name)) {
      // Somebody deleted it.
      this.own = undefined;
      this.lose("its node in ZooKeeper is gone");
      return "again";
    }
    if (first?.name !== own.name) {
      this.lose("another master's node comes first");
      return this.leader.follow(first);
    }
    return this.leading ? "done" : this.lead(contention, own);
  }

  private async lead(contention: Contention, own: OwnNode): Promise<"done" | "again"> {
    const { client, clock, path } = this.options;
    const lease = new Lease({
      client,
      clock,
      node: `${path}/${own.name}`,
      lost: (reason) => this.lose(reason),
    });
    this.lease?.end();
    this.lease = lease;
    try {
      if (!(await lease.acquire()) || this.contention !== contention || this.own !== own) {
        lease.end();
        return "again";
      }
    } catch (error) {
      lease.end();
      if (isZooKeeperError(error, "no-node")) return "again";
      throw error;
    }
    this.leading = true;
    this.leader.set(contention.info, own.name);
    contention.candidacy.elected(lease);
    return "done";
  }

  private lose(reason: string): void {
    const { contention } = this;
    if (!this.resign()) return;
    this.contention = undefined;
    contention?.candidacy.lost(reason);
  }

  /** Returns whether it was leading. Nobody is known to lead afterwards, least of all this process. */
  private resign(): boolean {
    this.lease?.end();
    this.lease = undefined;
    if (!this.leading) return false;
    this.leading = false;
    this.leader.forget();
    return true;
  }

  /** Deletes this process's node, so that somebody else is elected at once. */
  private async leave(): Promise<void> {
    const { client, path, logger } = this.options;
    const { own } = this;
    this.own = undefined;
    if (own === undefined || own.session !== client.sessionId) return;
    try {
      await client.delete(`${path}/${own.name}`);
    } catch (error) {
      if (isZooKeeperError(error, "no-node")) return;
      // It disappears with the session at the latest.
      this.uncertain = true;
      logger.warn({ err: error, node: own.name }, "the candidate's node could not be removed");
    }
  }
}
