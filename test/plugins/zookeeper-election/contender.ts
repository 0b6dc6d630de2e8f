import { connect, type Socket } from "node:net";
import { encodeMasterInfo } from "../../../plugins/zookeeper-election/master-info-node.js";
import { ZooKeeperElection } from "../../../plugins/zookeeper-election/zookeeper-election.js";
import { MasterInfo } from "../../../proto/gen/mesos/v1/mesos.js";
import { SystemClock } from "../../../sdk/contracts/system-clock.js";
import { SystemRandom } from "../../../sdk/contracts/system-random.js";
import { MemoryLogger } from "../../../sdk/testing/memory-logger.js";
import {
  CREATOR_ACCESS,
  OPEN_ACCESS,
  parseZooKeeperUrl,
  ZooKeeperClient,
} from "../../../sdk/zookeeper/index.js";

export const clock = new SystemClock();
export const random = new SystemRandom();

/** What contenders tell, in order, and whether two ever led at a time. */
export class Stage {
  readonly events: string[] = [];
  readonly leading = new Set<string>();
  /** Names that led together. */
  readonly clashes: string[] = [];

  elected(name: string): void {
    this.events.push(`${name} elected`);
    this.leading.add(name);
    if (this.leading.size > 1) this.clashes.push([...this.leading].join(" and "));
  }

  lost(name: string, reason: string): void {
    this.events.push(`${name} lost: ${reason}`);
    this.leading.delete(name);
  }

  get leader(): string | undefined {
    return this.leading.size === 1 ? [...this.leading][0] : undefined;
  }
}

/** A session, in milliseconds, that outlasts what a busy machine forgets a process for. */
const LASTING = 15_000;

/** A client whose connections can be cut. */
export class CutClient {
  readonly logger = new MemoryLogger();
  readonly client: ZooKeeperClient;
  readonly path: string;
  private readonly sockets = new Set<Socket>();
  private cut = false;

  constructor(url: string, sessionTimeout = LASTING) {
    const { servers, path, credentials } = parseZooKeeperUrl(url);
    this.path = path;
    this.client = new ZooKeeperClient({
      servers,
      credentials,
      sessionTimeout,
      clock,
      random,
      logger: this.logger,
      dial: ({ host, port }) => {
        // Port 1 of the loopback takes nobody.
        const socket = connect({ host, port: this.cut ? 1 : port });
        this.sockets.add(socket);
        socket.on("close", () => this.sockets.delete(socket));
        return socket;
      },
    });
  }

  /** Closes the connections that there are. */
  drop(): void {
    for (const socket of this.sockets) socket.destroy();
  }

  /** Drops them, and lets no new one be made until `mend`. */
  sever(): void {
    this.cut = true;
    this.drop();
  }

  mend(): void {
    this.cut = false;
  }
}

/** A master as far as the election is concerned: like it, it stands again when it has lost. */
export class Contender extends CutClient {
  readonly election: ZooKeeperElection;
  readonly info: MasterInfo;
  /** Names of the leaders that it was told of. */
  readonly told: (string | undefined)[] = [];
  withdraw: () => Promise<void> = async () => {};

  constructor(
    readonly name: string,
    private readonly stage: Stage,
    { url, session }: { readonly url: string; readonly session?: number | undefined },
  ) {
    super(url, session);
    this.info = MasterInfo.fromPartial({
      id: name,
      ip: 16_777_343,
      port: 5050,
      pid: "master@127.0.0.1:5050",
      hostname: name,
      address: { hostname: name, ip: "127.0.0.1", port: 5050 },
    });
    const { client, path, logger } = this;
    const access = url.includes("@") ? CREATOR_ACCESS : OPEN_ACCESS;
    this.election = new ZooKeeperElection({ client, path, access, clock, logger });
    this.election.watch((leader) => this.told.push(leader?.id));
  }

  get knows(): string | undefined {
    return this.told.at(-1);
  }

  start(): void {
    this.client.start();
    this.election.start();
    this.contend();
  }

  async stop(): Promise<void> {
    this.election.stop();
    this.stage.leading.delete(this.name);
    await this.client.close();
  }

  private contend(): void {
    this.withdraw = this.election.contend(this.info, {
      elected: () => this.stage.elected(this.name),
      lost: (reason) => {
        this.stage.lost(this.name, reason);
        this.contend();
      },
    });
  }

  get data(): Buffer {
    return encodeMasterInfo(this.info);
  }
}
