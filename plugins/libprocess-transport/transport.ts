import type { Socket } from "node:net";
import type { Clock, Timer } from "../../sdk/contracts/clock.js";
import type { HttpReply, HttpRequest, HttpServer } from "../../sdk/contracts/http-server.js";
import type { Logger } from "../../sdk/contracts/logger.js";
import type {
  MessageReceiver,
  MessageTransport,
  OutboundMessage,
} from "../../sdk/contracts/message-transport.js";
import { HttpDate } from "../../sdk/http/http-date.js";
import { OncePerPeer } from "../../sdk/http/once-per-peer.js";
import { TurnBudget } from "../../sdk/http/turn-budget.js";
import { type ActorAddress, AddressCache, parseAddress } from "./address.js";
import { InboundConnection, type InboundOptions, type Verdict } from "./inbound-connection.js";
import { LocalActors } from "./local-actors.js";
import { beginsMessage, isMessage, parseTarget, senderOf } from "./message-head.js";
import { TargetCache } from "./message-parser.js";
import { OutboundConnection } from "./outbound-connection.js";
import { OwedAnswers } from "./owed-answers.js";
import { Responses } from "./responses.js";

export interface TransportSettings {
  /** Largest body of a message, bytes. */
  readonly maxMessageBytes: number;
  /** Bytes that may wait for one peer before its connection is given up. */
  readonly maxQueuedBytes: number;
  /** How long a connection that nobody is linked to is kept without use; milliseconds. */
  readonly idleTimeout: number;
  /** Refuse messages whose sender claims another IP than the one they come from. */
  readonly requirePeerAddressIpMatch: boolean;
}

export interface TransportDeps {
  readonly server: HttpServer;
  readonly clock: Clock;
  readonly logger: Logger;
}

const MAX_HEAD_BYTES = 64 * 1024;
const SWEEP_MS = 30_000;

/**
 * Messages in libprocess's form, over the daemon's own port and one connection to each peer.
 *
 * As in libprocess, an actor answers on its own connection to the sender's address, a link watches the connection that goes
 * out, and a connection that comes in says nothing about links when it breaks: the peer's end of ours breaks with it.
 */
export class LibprocessTransport implements MessageTransport {
  private readonly inbound = new Set<InboundConnection>();
  private readonly outbound = new Map<string, OutboundConnection>();
  private readonly actors: LocalActors;
  private readonly strangers = new OncePerPeer();
  private readonly owed: OwedAnswers;
  private readonly inboundOptions: InboundOptions;
  private readonly addresses = new Map<string, string>();
  private readonly targets = new AddressCache();
  private dirty: OutboundConnection[] = [];
  private sweeper: Timer | undefined;
  private stopped = false;

  constructor(
    private readonly settings: TransportSettings,
    private readonly deps: TransportDeps,
  ) {
    this.actors = new LocalActors(deps.logger);
    this.owed = new OwedAnswers(deps.clock);
    this.inboundOptions = {
      targets: new TargetCache(),
      limits: { maxHeadBytes: MAX_HEAD_BYTES, maxBodyBytes: settings.maxMessageBytes },
      responses: new Responses(new HttpDate(deps.clock)),
      budget: new TurnBudget(deps.clock),
      deliver: (message) => this.deliver(message),
      garbage: (peer) => this.garbage(peer),
      closed: (connection) => void this.inbound.delete(connection),
      owes: (connection) => this.owed.add(connection),
    };
    deps.server.take({
      matches: beginsMessage,
      take: (socket, head, giveBack) => this.take(socket, head, giveBack),
    });
    deps.server.intercept({
      matches: (request) => request.method === "POST" && isMessage(request.headers),
      handle: (request, reply) => this.handle(request, reply),
    });
  }

  start(): void {
    this.sweeper = this.deps.clock.setInterval(() => this.sweep(), SWEEP_MS);
  }

  stop(): void {
    this.stopped = true;
    this.sweeper?.cancel();
    this.owed.stop();
    for (const connection of [...this.outbound.values()]) connection.close();
    for (const connection of this.inbound) connection.close();
  }

  reset(to?: string): void {
    const only = to === undefined ? undefined : this.outbound.get(this.targets.parse(to)?.endpoint ?? "");
    const given = to === undefined ? [...this.outbound.values()] : only === undefined ? [] : [only];
    for (const connection of given) connection.reset("given up by its sender");
  }

  address(actor: string): string {
    let address = this.addresses.get(actor);
    if (address === undefined) {
      const { ip, port } = this.deps.server.address;
      address = `${actor}@${ip}:${port}`;
      this.addresses.set(actor, address);
    }
    return address;
  }

  receive(actor: string, receiver: MessageReceiver): () => void {
    return this.actors.add(actor, receiver);
  }

  send(to: string, message: OutboundMessage): void {
    if (this.stopped) return;
    const target = this.targets.parse(to);
    if (target === undefined) {
      if (this.strangers.first(to, "address")) {
        this.deps.logger.warn({ to, message: message.name }, "Dropped a message to what is no address");
      }
    } else if (this.isLocal(target)) {
      this.actors.post(target.id, {
        from: this.address(message.from),
        name: message.name,
        body: message.body,
      });
    } else {
      this.connection(target).send(target.id, message);
    }
  }

  room(to: string): Promise<void> | undefined {
    const target = this.targets.parse(to);
    return target === undefined ? undefined : this.outbound.get(target.endpoint)?.room();
  }

  link(to: string, exited: () => void): () => void {
    // Each link is its own, even if the same function is given twice.
    const notify = (): void => this.call(exited);
    const target = this.targets.parse(to);
    if (target === undefined || this.stopped) {
      const soon = setImmediate(notify);
      return () => clearImmediate(soon);
    }
    if (this.isLocal(target)) return this.actors.link(target.id, notify);
    const { links } = this.connection(target);
    links.add(notify);
    return () => void links.delete(notify);
  }

  private take(socket: Socket, head: Buffer, giveBack: (rest: Buffer) => void): void {
    const connection = new InboundConnection(socket, this.inboundOptions, giveBack);
    this.inbound.add(connection);
    connection.start(head);
  }

  /** A message that came as plain HTTP: with compression, say, or after an ordinary request. */
  private async handle(request: HttpRequest, reply: HttpReply): Promise<void> {
    const body = await request.body();
    const target = parseTarget(request.target);
    if (target === undefined) {
      reply.text(500, "Failed to decode URL path");
      return;
    }
    const verdict = this.deliver({
      ...target,
      from: senderOf(headerOf(request, "libprocess-from"), headerOf(request, "user-agent")),
      body,
      peer: () => hostOf(request.peer),
    });
    if (verdict === undefined || verdict instanceof Promise) {
      await verdict;
      reply.send(202);
    } else reply.text(Number(verdict.status.slice(0, 3)), verdict.body);
  }

  private deliver(message: Parameters<InboundOptions["deliver"]>[0]): Verdict {
    const { actor, name, from, body } = message;
    if (from === undefined) {
      const peer = message.peer();
      if (this.strangers.first(peer, "sender")) {
        this.deps.logger.warn({ peer, message: name }, "Refused a message without a proper sender");
      }
      return { status: "400 Bad Request", body: "Failed to determine sender from request headers" };
    }
    if (
      this.settings.requirePeerAddressIpMatch &&
      parseAddress(from)?.host !== withoutPrefix(message.peer())
    ) {
      const peer = message.peer();
      const text = `UPID IP address validation failed: Message from ${from} was sent from IP ${peer}`;
      if (this.strangers.first(peer, "ip")) this.deps.logger.warn({ peer, from }, text);
      return { status: "400 Bad Request", body: text };
    }
    const delivered = this.actors.deliver(actor, { from, name, body });
    if (delivered !== false) return delivered === true ? undefined : delivered;
    const peer = message.peer();
    if (this.strangers.first(peer, actor)) {
      this.deps.logger.info(
        { peer, from, actor, message: name },
        "Refused a message to an actor that is not here",
      );
    }
    return { status: "404 Not Found", body: "404 Not Found." };
  }

  private garbage(peer: string): void {
    if (this.strangers.first(peer, "garbage")) {
      this.deps.logger.warn({ peer }, "Closed a connection that sent no proper message");
    }
  }

  private isLocal(target: ActorAddress): boolean {
    const { ip, port } = this.deps.server.address;
    return target.port === port && target.host === ip;
  }

  private connection(target: ActorAddress): OutboundConnection {
    const known = this.outbound.get(target.endpoint);
    if (known !== undefined) return known;
    const connection = new OutboundConnection({
      host: target.host,
      port: target.port,
      endpoint: target.endpoint,
      maxQueuedBytes: this.settings.maxQueuedBytes,
      addressOf: (actor) => this.address(actor),
      ready: (ready) => this.schedule(ready),
      closed: (closed, reason) => this.closed(closed, reason),
    });
    this.outbound.set(target.endpoint, connection);
    return connection;
  }

  /** Everything that one turn of the event loop sends to a peer leaves in one write, after the turn's input was handled. */
  private schedule(connection: OutboundConnection): void {
    if (connection.dirty) return;
    connection.dirty = true;
    if (this.dirty.length === 0) setImmediate(this.flush);
    this.dirty.push(connection);
  }

  private readonly flush = (): void => {
    const dirty = this.dirty;
    this.dirty = [];
    for (const connection of dirty) connection.flush();
  };

  private closed(connection: OutboundConnection, reason: string | undefined): void {
    if (this.outbound.get(connection.endpoint) === connection) this.outbound.delete(connection.endpoint);
    if (reason === undefined) return;
    const links = [...connection.links];
    connection.links.clear();
    this.deps.logger.info(
      { peer: connection.endpoint, reason, links: links.length },
      "A connection to a peer ended",
    );
    // Later, because this may be called from within a send: nobody expects to be called back from there.
    for (const notify of links) setImmediate(notify);
  }

  private call(exited: () => void): void {
    try {
      exited();
    } catch (error) {
      this.deps.logger.error({ err: error }, "A link's callback failed");
    }
  }

  private sweep(): void {
    for (const connection of this.inbound) connection.sweep();
    const sweeps = Math.ceil(this.settings.idleTimeout / SWEEP_MS);
    for (const connection of [...this.outbound.values()]) {
      if (connection.idleFor(sweeps)) connection.close();
      else connection.sweep();
    }
  }
}

const headerOf = (request: HttpRequest, name: string): string | undefined => {
  const value = request.headers[name];
  return Array.isArray(value) ? value[0] : value;
};

/** Of `ip:port` or `[ip]:port`. */
const hostOf = (peer: string): string => peer.slice(0, peer.lastIndexOf(":")).replace(/^\[|\]$/g, "");

/** An IPv4 peer of a socket that listens on IPv6 shows as `::ffff:10.0.0.1`. */
const withoutPrefix = (ip: string): string => (ip.startsWith("::ffff:") ? ip.slice(7) : ip);
