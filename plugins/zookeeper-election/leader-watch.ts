import type { MasterInfo } from "../../proto/gen/mesos/v1/mesos.js";
import type { Logger } from "../../sdk/contracts/logger.js";
import { messageOf } from "../../sdk/errors/index.js";
import { isZooKeeperError, type ZooKeeperClient } from "../../sdk/zookeeper/index.js";
import { decodeMasterInfo } from "./master-info-node.js";
import type { Member } from "./member.js";

type Watcher = (leader: MasterInfo | undefined) => void;

/** The leader as last known; it stays known while the ensemble is unreachable. */
export class LeaderWatch {
  private readonly watchers = new Set<Watcher>();
  private leader: MasterInfo | undefined;
  /** The node that the leader was read from. Node names are never reused. */
  private node: string | undefined;

  constructor(
    private readonly client: ZooKeeperClient,
    private readonly path: string,
    private readonly logger: Logger,
  ) {}

  watch(changed: Watcher): () => void {
    // A wrapper, so that the same function can watch twice, each with its own undo.
    const watcher: Watcher = (leader) => changed(leader);
    this.watchers.add(watcher);
    watcher(this.leader);
    return () => this.watchers.delete(watcher);
  }

  /** Notes the leading candidate, or that there is none. Answers `again` if its node disappears before it can be read. */
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
    this.notify(leader);
  }

  forget(): void {
    this.node = undefined;
    this.notify(undefined);
  }

  private notify(leader: MasterInfo | undefined): void {
    if (leader === undefined && this.leader === undefined) return;
    this.leader = leader;
    for (const watcher of [...this.watchers]) watcher(leader);
  }

  /** A leader whose node cannot be decoded leads all the same: nobody takes its place. */
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
