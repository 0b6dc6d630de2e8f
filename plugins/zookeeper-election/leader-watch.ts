import type { MasterInfo } from "../../proto/gen/mesos/v1/mesos.js";
import type { Logger } from "../../sdk/contracts/logger.js";
import { messageOf } from "../../sdk/errors/index.js";
import { isZooKeeperError, type ZooKeeperClient } from "../../sdk/zookeeper/index.js";
import { decodeMasterInfo } from "./master-info-node.js";
import type { Member } from "./member.js";

type Watcher = (leader: MasterInfo | undefined) => void;

/** Who leads, as far as known: it stays known while the ensemble is away. */
export class LeaderWatch {
  private readonly watchers = new Set<Watcher>();
  private leader: MasterInfo | undefined;
  /** The node that it was read from; names are used once. */
  private node: string | undefined;

  constructor(
    private readonly client: ZooKeeperClient,
    private readonly path: string,
    private readonly logger: Logger,
  ) {}

  watch(changed: Watcher): () => void {
    // A function of its own, so that watching twice with one function is two watches with two undos.
    const watcher: Watcher = (leader) => changed(leader);
    this.watchers.add(watcher);
    watcher(this.leader);
    return () => this.watchers.delete(watcher);
  }

  /** The leading candidate, or that there is none. Answers `again` when its node goes before it can be read. */
  async follow(member: Member | undefined): Promise<"done" | "again"> {
    if (member === undefined) {
      this.forget();
      return "done";
    }
    if (member.name === this.node) return "done";
    try {
      const { data } = await this.client.getData(`${this.path}/${member.name}`);
      this.set(this.read(member, data), member.name);
      return "done";
    } catch (error) {
      if (isZooKeeperError(error, "no-node")) return "again";
      throw error;
    }
  }

  set(leader: MasterInfo | undefined, node: string): void {
    this.node = node;
    this.tell(leader);
  }

  forget(): void {
    this.node = undefined;
    this.tell(undefined);
  }

  private tell(leader: MasterInfo | undefined): void {
    if (leader === undefined && this.leader === undefined) return;
    this.leader = leader;
    for (const watcher of [...this.watchers]) watcher(leader);
  }

  /** A leader that cannot be read leads all the same: nobody is followed in its place. */
  private read(member: Member, data: Buffer): MasterInfo | undefined {
    try {
      const leader = decodeMasterInfo(member.format, data);
      this.logger.info({ node: member.name, master: leader.pid }, "a master leads");
      return leader;
    } catch (error) {
      this.logger.error(
        { node: member.name },
        `the leading master's node cannot be read: ${messageOf(error)}`,
      );
      return undefined;
    }
  }
}
