import { OP } from "../../../sdk/zookeeper/records.js";
import type { Network } from "../network.js";
import { SimulatedProcess } from "../process.js";
import type { World } from "../world.js";
import type { Asked } from "./requests.js";
import { ZooKeeperServer } from "./server.js";
import { type Change, type Transaction, Tree } from "./tree.js";

const TICK_MS = 2000;
const LOOK_MS = 250;
/** How long a server that is cut off keeps answering, at most: Mesos's guides set it to five ticks. */
const SYNC_LIMIT_MS = 5 * TICK_MS;

interface Session {
  readonly id: bigint;
  readonly timeout: number;
  readonly password: Buffer;
  deadline: number;
  /** The server through which it was last seen. */
  at: ZooKeeperServer | undefined;
}

/** The outcome of the requested changes. */
export type Outcome =
  | { readonly errors: readonly number[]; readonly transaction?: undefined }
  | { readonly transaction: Transaction; readonly errors?: undefined };

export interface EnsembleOptions {
  readonly count: number;
  /** Whether versions are checked; always, except for a mutation. */
  readonly fencing: boolean;
  /** Changes of a client have been agreed on. */
  readonly written: (by: SimulatedProcess, changes: readonly Change[]) => void;
}

/**
 * ZooKeeper as far as its clients can tell: a leader that a majority of the servers follow orders all changes; servers learn of them with a
 * delay, so their answers may be stale; only the leader expires sessions; a server that is cut off notices late.
 *
 * Agreement itself is not simulated: a change that the leader orders while it can reach a majority is agreed on at once.
 */
export class Ensemble {
  readonly servers: readonly ZooKeeperServer[];
  readonly log: Transaction[] = [];
  readonly sessions = new Map<bigint, Session>();
  private leader: ZooKeeperServer | undefined;
  /** All changes: the next one is checked against this. */
  readonly agreed = new Tree();
  private readonly followers = new Set<ZooKeeperServer>();
  private electionAt = 0;
  private nextSession = 1n;

  constructor(
    readonly world: World,
    readonly network: Network,
    private readonly options: EnsembleOptions,
  ) {
    this.servers = Array.from({ length: options.count }, (_, i) => {
      const host = { name: `zk${i + 1}`, clockOffset: 0 };
      return new ZooKeeperServer(this, new SimulatedProcess(world, host, host.name));
    });
    this.look();
  }

  get serving(): boolean {
    return this.leader !== undefined;
  }

  /** Whether this server is part of the leader's majority now. */
  follows(server: ZooKeeperServer): boolean {
    return this.followers.has(server);
  }

  crash(server: ZooKeeperServer): void {
    server.crash();
    this.review();
  }

  restart(server: ZooKeeperServer): void {
    server.process = new SimulatedProcess(this.world, server.process.host, server.process.name);
  }

  /** Orders changes that a client of this server requests. Undefined: nobody can, or nobody learns the outcome. */
  submit(
    server: ZooKeeperServer,
    { session, by, asked }: { session: bigint; by: SimulatedProcess; asked: readonly Asked[] },
  ): Outcome | undefined {
    this.review();
    if (this.leader === undefined || !this.followers.has(server)) return undefined;
    const changes: Change[] = [];
    const errors: number[] = [];
    for (const one of asked) {
      const change = this.changeOf(one, session);
      const problem = this.agreed.problem(change, this.options.fencing ? one.version : -1);
      errors.push(problem);
      changes.push(change);
      if (problem !== 0) return { errors };
    }
    this.options.written(by, changes);
    return { transaction: this.agree({ changes }) };
  }

  openSession(server: ZooKeeperServer, timeout: number): Session | undefined {
    if (!this.followers.has(server)) return undefined;
    const id = this.nextSession++;
    const granted = Math.min(Math.max(timeout, 2 * TICK_MS), 20 * TICK_MS);
    const password = Buffer.from(this.world.randomFor().bytes(16));
    const session: Session = {
      id,
      timeout: granted,
      password,
      deadline: this.world.time + granted,
      at: server,
    };
    this.sessions.set(id, session);
    return session;
  }

  /** Resumes the session on this server; undefined: there is no such session. */
  resumeSession(server: ZooKeeperServer, id: bigint, password: Buffer): Session | undefined {
    const session = this.sessions.get(id);
    if (session === undefined || !session.password.equals(password)) return undefined;
    if (session.at !== server) session.at?.drop(id);
    session.at = server;
    this.touch(server, id);
    return session;
  }

  /** The leader hears of the session through this server. */
  touch(server: ZooKeeperServer, id: bigint): void {
    const session = this.sessions.get(id);
    if (session !== undefined && this.followers.has(server))
      session.deadline = this.world.time + session.timeout;
  }

  endSession(id: bigint): void {
    if (!this.sessions.delete(id)) return;
    const changes = this.agreed.ephemerals(id).map((path): Change => ({ kind: "delete", path }));
    this.agree({ changes, ends: id });
  }

  /** Expires a session, as the leader does when nothing was heard of it for its timeout. */
  expire(id: bigint): void {
    this.world.note(`zookeeper: session 0x${id.toString(16)} expires`);
    this.endSession(id);
  }

  private changeOf(asked: Asked, owner: bigint): Change {
    const { type, data } = asked;
    const path = asked.sequential ? this.agreed.sequential(asked.path) : asked.path;
    if (type === OP.create) return { kind: "create", path, data, owner: asked.ephemeral ? owner : 0n };
    if (type === OP.delete) return { kind: "delete", path };
    if (type === OP.setData) return { kind: "set", path, data };
    return { kind: "check", path };
  }

  private agree(what: { changes: readonly Change[]; ends?: bigint }): Transaction {
    const transaction = { zxid: this.agreed.zxid + 1n, time: this.world.wallTime, ...what };
    this.agreed.apply(transaction);
    this.log.push(transaction);
    for (const server of this.followers) server.learnSoon();
    return transaction;
  }

  private look(): void {
    this.review();
    if (this.leader !== undefined) {
      for (const { id, deadline } of [...this.sessions.values()])
        if (deadline < this.world.time) this.expire(id);
    } else if (this.world.time >= this.electionAt) this.elect();
    this.world.schedule(LOOK_MS, () => this.look());
  }

  /** Reviews whom the leader can still reach, and whether they are a majority. */
  private review(): void {
    const { leader } = this;
    if (leader === undefined) return;
    for (const server of this.servers) {
      const reached = server === leader ? server.process.alive : this.reaches(leader, server);
      if (reached && !this.followers.has(server)) this.join(server);
      else if (!reached) this.part(server);
    }
    if (this.majority(this.followers.size) && leader.process.alive) return;
    this.world.note(`zookeeper: ${leader.process.name} leads no longer`);
    this.leader = undefined;
    for (const server of [...this.followers]) this.part(server);
    this.electionAt = this.world.time + this.world.dice.between(500, 3000);
  }

  private elect(): void {
    const candidates = this.servers.filter(({ process }) => process.alive);
    for (const candidate of candidates) {
      const group = candidates.filter((other) => other === candidate || this.reaches(candidate, other));
      if (!this.majority(group.length)) continue;
      this.leader = candidate;
      this.world.note(`zookeeper: ${candidate.process.name} leads`);
      for (const server of group) this.join(server);
      // A new leader restarts the timeouts of all sessions.
      for (const session of this.sessions.values()) session.deadline = this.world.time + session.timeout;
      return;
    }
  }

  private join(server: ZooKeeperServer): void {
    this.followers.add(server);
    server.joined();
  }

  private part(server: ZooKeeperServer): void {
    if (!this.followers.delete(server)) return;
    server.parted(this.world.dice.between(0, SYNC_LIMIT_MS));
  }

  private reaches(one: ZooKeeperServer, other: ZooKeeperServer): boolean {
    const [a, b] = [one.process.host.name, other.process.host.name];
    return other.process.alive && !this.network.blocked(a, b) && !this.network.blocked(b, a);
  }

  private majority(count: number): boolean {
    return 2 * count > this.servers.length;
  }
}
