import { FrameReader } from "../../../sdk/zookeeper/frames.js";
import { JuteReader, JuteWriter } from "../../../sdk/zookeeper/jute.js";
import { OP, XID } from "../../../sdk/zookeeper/records.js";
import { Connection, type Party } from "../network.js";
import type { SimulatedProcess } from "../process.js";
import type { Ensemble, Outcome } from "./ensemble.js";
import { type Asked, readAsked, readMultiAsked, writeStat } from "./requests.js";
import type { SimulatedSocket } from "./socket.js";
import { NO_NODE, type Seen, type Transaction, Tree } from "./tree.js";

const EVENT_TYPES = { created: 1, deleted: 2, "data-changed": 3, "children-changed": 4 } as const;

type WatchKind = "data" | "exists" | "children";

const TRIGGERED: Readonly<Record<Seen["type"], readonly WatchKind[]>> = {
  created: ["data", "exists"],
  "data-changed": ["data", "exists"],
  deleted: ["data", "exists", "children"],
  "children-changed": ["children"],
};

/** One server: what it has learned so far, and its clients. */
export class ZooKeeperServer {
  private tree = new Tree();
  private learned = 0;
  private learning = false;
  private readonly clients = new Set<Client>();
  /** Neither accepts nor answers clients. */
  private shut = true;
  private shutting: (() => void) | undefined;

  constructor(
    readonly ensemble: Ensemble,
    public process: SimulatedProcess,
  ) {}

  /** A client dials; the connection is refused if nobody listens. */
  accept(socket: SimulatedSocket, by: SimulatedProcess): boolean {
    const { network } = this.ensemble;
    if (!this.process.alive || this.shut) return false;
    let client: Client | undefined;
    const there: Party = { process: this.process, closed: () => client?.gone() };
    const here: Party = { process: by, closed: (why) => socket.ended(why) };
    const connection = new Connection(network, here, there);
    client = new Client({ server: this, connection, party: there, socket, by });
    this.clients.add(client);
    socket.opened({ connection, party: here, arrives: (bytes) => client?.receive(bytes) });
    return true;
  }

  joined(): void {
    this.shutting?.();
    this.shutting = undefined;
    this.shut = false;
    this.learnAll();
  }

  /** It has lost the leader, and notices after some time. */
  parted(after: number): void {
    this.shutting?.();
    this.shutting = this.process.input(after, () => {
      this.shut = true;
      for (const client of [...this.clients]) client.end();
    });
  }

  crash(): void {
    this.process.crash();
    this.shut = true;
    for (const connection of [...this.ensemble.network.connections]) connection.abandon(this.process);
    this.clients.clear();
  }

  drop(session: bigint): void {
    for (const client of [...this.clients]) if (client.session === session) client.end();
  }

  learnSoon(): void {
    if (this.learning) return;
    this.learning = true;
    this.process.input(this.ensemble.network.latency(), () => {
      this.learning = false;
      if (this.ensemble.follows(this)) this.learnAll();
    });
  }

  /** Catches up with everything that has been agreed on. */
  learnAll(): void {
    this.learning = false;
    const { log } = this.ensemble;
    for (; this.learned < log.length; this.learned++) {
      const transaction = log[this.learned]!;
      const seen = this.tree.apply(transaction);
      for (const client of [...this.clients]) client.tell(seen, transaction);
    }
  }

  view(): Tree {
    return this.tree;
  }

  forget(client: Client): void {
    this.clients.delete(client);
  }
}

/** A client's connection. */
class Client {
  session = 0n;
  private readonly frames = new FrameReader();
  private readonly watches = new Map<string, WatchKind>();
  private readonly waiting: (() => void)[] = [];
  private busy = false;
  private open = true;

  private readonly server: ZooKeeperServer;
  private readonly connection: Connection;
  private readonly party: Party;
  private readonly socket: SimulatedSocket;
  private readonly by: SimulatedProcess;

  constructor(options: {
    server: ZooKeeperServer;
    connection: Connection;
    party: Party;
    socket: SimulatedSocket;
    by: SimulatedProcess;
  }) {
    this.server = options.server;
    this.connection = options.connection;
    this.party = options.party;
    this.socket = options.socket;
    this.by = options.by;
  }

  receive(bytes: Buffer): void {
    for (const frame of this.frames.push(bytes)) {
      this.waiting.push(() => this.take(new JuteReader(frame)));
      this.next();
    }
  }

  end(): void {
    if (!this.open) return;
    this.gone();
    this.connection.close(this.party);
  }

  gone(): void {
    this.open = false;
    this.server.forget(this);
  }

  tell(seen: readonly Seen[], { zxid, ends }: Transaction): void {
    if (ends === this.session && this.session !== 0n) {
      this.end();
      return;
    }
    for (const { type, path } of seen) {
      for (const kind of TRIGGERED[type]) {
        if (!this.watches.delete(`${kind} ${path}`)) continue;
        this.event(type, path, zxid);
        break;
      }
      for (const kind of TRIGGERED[type]) this.watches.delete(`${kind} ${path}`);
    }
  }

  private event(type: Seen["type"], path: string, zxid: bigint): void {
    this.send(new JuteWriter().int(XID.event).long(zxid).int(0).int(EVENT_TYPES[type]).int(3).text(path));
  }

  /** Requests are answered in order. */
  private next(): void {
    if (this.busy) return;
    const work = this.waiting.shift();
    if (work === undefined) return;
    this.busy = true;
    work();
  }

  private done(): void {
    this.busy = false;
    this.next();
  }

  private send(writer: JuteWriter): void {
    if (!this.open) return;
    const bytes = writer.frame();
    this.connection.send(this.party, () => this.socket.received(bytes));
  }

  private take(reader: JuteReader): void {
    if (!this.open) return;
    if (this.session === 0n) {
      this.greet(reader);
      this.done();
      return;
    }
    const { ensemble } = this.server;
    ensemble.touch(this.server, this.session);
    const xid = reader.int();
    const type = reader.int();
    switch (type) {
      case OP.create:
      case OP.delete:
      case OP.setData:
        this.change(xid, [readAsked(type, reader)], false);
        return;
      case OP.multi:
        this.change(xid, readMultiAsked(reader), true);
        return;
      case OP.close:
        ensemble.endSession(this.session);
        this.reply(xid, 0);
        this.end();
        return;
      case OP.setWatches:
        this.setWatches(xid, reader);
        break;
      default:
        this.read(xid, type, reader);
    }
    this.done();
  }

  private greet(reader: JuteReader): void {
    const { ensemble } = this.server;
    reader.int();
    const lastZxid = reader.long();
    const timeout = reader.int();
    const id = reader.long();
    const password = reader.buffer() ?? Buffer.alloc(16);
    // A client that has seen more than this server is turned away.
    if (lastZxid > this.server.view().zxid || !ensemble.follows(this.server)) {
      this.end();
      return;
    }
    const session =
      id === 0n
        ? ensemble.openSession(this.server, timeout)
        : ensemble.resumeSession(this.server, id, password);
    this.session = session?.id ?? 0n;
    this.send(
      new JuteWriter()
        .int(0)
        .int(session?.timeout ?? 0)
        .long(this.session)
        .buffer(session?.password ?? Buffer.alloc(16))
        .bool(false),
    );
    if (session === undefined) this.end();
  }

  private reply(xid: number, error: number, body?: (writer: JuteWriter) => unknown): void {
    const writer = new JuteWriter().int(xid).long(this.server.view().zxid).int(error);
    body?.(writer);
    this.send(writer);
  }

  /** Asks the leader, and answers once this server has learned of the change. */
  private change(xid: number, asked: readonly Asked[], multi: boolean): void {
    const { server } = this;
    const { ensemble, process } = server;
    process.input(ensemble.network.latency() + ensemble.network.latency(), () => {
      const { session, by } = this;
      const outcome = this.open ? ensemble.submit(server, { session, by, asked }) : undefined;
      // Nobody orders changes: there is no answer until the server notices.
      if (outcome === undefined) return;
      process.input(ensemble.network.latency(), () => {
        // It has everything that was agreed on while it was connected, but may be cut off by now.
        if (!ensemble.follows(server)) return;
        server.learnAll();
        this.answer(xid, asked, multi, outcome);
        this.done();
      });
    });
  }

  private answer(xid: number, asked: readonly Asked[], multi: boolean, outcome: Outcome): void {
    const { transaction, errors } = outcome;
    if (multi) {
      this.reply(xid, 0, (writer) => {
        asked.forEach(({ type }, i) => {
          if (transaction === undefined) {
            writer
              .int(OP.error)
              .bool(false)
              .int(errors[i] ?? -2);
            writer.int(i < errors.length - 1 ? 0 : (errors[i] ?? -2));
            return;
          }
          writer.int(type).bool(false).int(0);
          const { path } = transaction.changes[i]!;
          if (type === OP.create) writer.text(path);
          else if (type === OP.setData) writeStat(writer, this.statOf(path));
        });
        writer.int(-1).bool(true).int(-1);
      });
      return;
    }
    if (transaction === undefined) {
      this.reply(xid, errors.at(-1) ?? 0);
      return;
    }
    const [{ type } = { type: 0 }] = asked;
    const [{ path } = { path: "" }] = transaction.changes;
    this.reply(xid, 0, (writer) => {
      if (type === OP.create) writer.text(path);
      else if (type === OP.setData) writeStat(writer, this.statOf(path));
    });
  }

  /** Status of a node that was just written; it may have been deleted since. */
  private statOf(path: string) {
    const tree = this.server.view();
    return tree.stat(path) ?? tree.stat("/")!;
  }

  private read(xid: number, type: number, reader: JuteReader): void {
    const tree = this.server.view();
    if (type === OP.ping) {
      this.reply(xid, 0);
      return;
    }
    const path = reader.text();
    const watch = reader.bool();
    const stat = tree.stat(path);
    if (type === OP.exists) {
      if (watch) this.watch(stat === undefined ? "exists" : "data", path);
      if (stat === undefined) this.reply(xid, NO_NODE);
      else this.reply(xid, 0, (writer) => writeStat(writer, stat));
    } else if (stat === undefined) {
      this.reply(xid, NO_NODE);
    } else if (type === OP.getData) {
      if (watch) this.watch("data", path);
      this.reply(xid, 0, (writer) => writeStat(writer.buffer(tree.data(path)), stat));
    } else if (type === OP.getChildren) {
      if (watch) this.watch("children", path);
      this.reply(xid, 0, (writer) => writer.list(tree.children(path) ?? [], (out, name) => out.text(name)));
    } else {
      throw new Error(`the model of ZooKeeper does not know operation ${type}`);
    }
  }

  private watch(kind: WatchKind, path: string): void {
    this.watches.set(`${kind} ${path}`, kind);
  }

  /** For a client that reconnects: reports what has changed since, and sets the other watches again. */
  private setWatches(xid: number, reader: JuteReader): void {
    const tree = this.server.view();
    const since = reader.long();
    const [data, exists, children] = [0, 1, 2].map(() => reader.list((entry) => entry.text())) as [
      string[],
      string[],
      string[],
    ];
    for (const path of data) {
      const stat = tree.stat(path);
      if (stat === undefined) this.event("deleted", path, tree.zxid);
      else if (stat.modified > since) this.event("data-changed", path, tree.zxid);
      else this.watch("data", path);
    }
    for (const path of exists) {
      if (tree.has(path)) this.event("created", path, tree.zxid);
      else this.watch("exists", path);
    }
    for (const path of children) {
      const stat = tree.stat(path);
      if (stat === undefined) this.event("deleted", path, tree.zxid);
      else if (stat.childrenModified > since) this.event("children-changed", path, tree.zxid);
      else this.watch("children", path);
    }
    this.reply(xid, 0);
  }
}
