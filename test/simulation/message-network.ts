import type {
  MessageReceiver,
  MessageTransport,
  OutboundMessage,
} from "../../sdk/contracts/message-transport.js";
import { messageOf } from "../../sdk/errors/index.js";
import type { Mutation } from "./mutations.js";
import { type Network, Pipe } from "./network.js";
import type { SimulatedProcess } from "./process.js";

interface Link {
  readonly from: SimulatedTransport;
  readonly to: string;
  /** Who was there when the connection was made. */
  peer?: SimulatedTransport | undefined;
  readonly exited: () => void;
  undone?: boolean;
}

/** Called for each message that is sent. */
export type Tap = (from: SimulatedTransport, to: string, message: OutboundMessage) => void;

/**
 * Transports the daemons' messages as libprocess does: one connection for each direction between two processes, made on demand. Messages
 * arrive in order and at most once. A connection that breaks loses what is in transit, and only processes linked to the other end are
 * notified.
 */
export class MessageNetwork {
  private readonly endpoints = new Map<string, SimulatedTransport>();
  private readonly links = new Set<Link>();
  private readonly channels = new Map<string, Pipe>();
  readonly taps: Tap[] = [];
  /** Called for each message that arrives after its sender has died. */
  readonly posthumous: ((message: OutboundMessage) => void)[] = [];

  constructor(
    readonly network: Network,
    private readonly options: {
      readonly mutation: Mutation | undefined;
      /** Whether who sends over a connection to a dead process is told so. */
      readonly resets: boolean;
    },
  ) {}

  attach(transport: SimulatedTransport): void {
    this.endpoints.set(transport.endpoint, transport);
  }

  /** The process has died: its links are gone, and processes linked to it are notified if the link lets them. */
  detach(transport: SimulatedTransport): void {
    this.endpoints.delete(transport.endpoint);
    for (const link of [...this.links]) if (link.from === transport) this.links.delete(link);
    for (const [key, pipe] of [...this.channels]) {
      const [from, to] = key.split(">");
      if (from === transport.endpoint) {
        pipe.orphan();
        this.channels.delete(key);
      } else if (to === transport.endpoint) {
        pipe.cut();
        this.channels.delete(key);
      }
    }
    for (const link of [...this.links]) {
      if (link.to !== transport.endpoint) continue;
      const host = link.from.process.host.name;
      // Otherwise they do not notice until the connection times out.
      if (!this.network.blocked(transport.process.host.name, host)) this.exit(link);
    }
  }

  link(link: Link): () => void {
    link.peer = this.endpoints.get(link.to);
    if (link.peer !== undefined) this.links.add(link);
    else this.exit(link);
    return () => {
      link.undone = true;
      this.links.delete(link);
    };
  }

  send(from: SimulatedTransport, to: string, message: OutboundMessage): void {
    const [actor = "", endpoint = ""] = split(to);
    for (const tap of this.taps) tap(from, to, message);
    if (this.options.resets && this.isStale(from, endpoint)) return;
    const sender = from.address(message.from);
    const { name } = message;
    const body = Buffer.from(message.body);
    const times =
      this.options.mutation === "double-delivery" && name === "mesos.internal.RunTaskMessage" ? 2 : 1;
    for (let i = 0; i < times; i++) {
      this.channel(from, endpoint)?.send(() => {
        if (!from.process.alive) for (const told of this.posthumous) told({ from: sender, name, body });
        this.endpoints.get(endpoint)?.deliver(actor, { from: sender, name, body });
      });
    }
  }

  /** Breaks the connection in this direction, as a timeout or a reset would. */
  break(from: string, to: string): void {
    const key = `${from}>${to}`;
    this.channels.get(key)?.cut();
    this.channels.delete(key);
    for (const link of [...this.links]) if (link.from.endpoint === from && link.to === to) this.exit(link);
  }

  /** Breaks everything that goes out from here, or only what goes to one destination. */
  reset(from: string, only?: string): void {
    for (const [one, to] of this.pairs()) if (one === from && (only ?? to) === to) this.break(one, to);
  }

  /** Whether nothing gets through in one of the directions, so that the connection will break. */
  stuck(from: string, to: string): boolean {
    const [a, b] = [this.endpoints.get(from), this.endpoints.get(to)].map((one) => one?.process.host.name);
    // A process that is gone does not answer; over a dead link, the sender does not know that.
    if (a === undefined || b === undefined) return true;
    return this.network.blocked(a, b) || this.network.blocked(b, a);
  }

  /** The endpoints of the existing connections, and of those that somebody watches. */
  pairs(): [string, string][] {
    const keys = new Set(this.channels.keys());
    for (const { from, to } of this.links) keys.add(`${from.endpoint}>${to}`);
    return [...keys].map((key) => key.split(">") as [string, string]);
  }

  /** Who sends over a connection to a process that has died, and to whose machine there is a way again, is told so; what it sends is lost. */
  private isStale(from: SimulatedTransport, to: string): boolean {
    let stale = false;
    for (const link of [...this.links]) {
      if (link.from !== from || link.to !== to || this.endpoints.get(to) === link.peer) continue;
      const [here, there] = [from.process.host.name, link.peer?.process.host.name ?? ""];
      if (this.network.blocked(here, there) || this.network.blocked(there, here)) continue;
      stale = true;
      this.exit(link);
    }
    return stale;
  }

  private exit(link: Link): void {
    this.links.delete(link);
    link.from.process.input(this.network.latency(), () => {
      if (link.undone !== true) link.from.guard(link.exited);
    });
  }

  private channel(from: SimulatedTransport, endpoint: string): Pipe | undefined {
    const target = this.endpoints.get(endpoint);
    if (target === undefined) return undefined;
    const key = `${from.endpoint}>${endpoint}`;
    let pipe = this.channels.get(key);
    if (pipe === undefined) {
      const [a, b] = [from.process.host.name, target.process.host.name];
      pipe = new Pipe(this.network, a, b, () => this.endpoints.get(endpoint)?.process);
      this.channels.set(key, pipe);
    }
    return pipe;
  }
}

/** The messages of one process. */
export class SimulatedTransport implements MessageTransport {
  private readonly receivers = new Map<string, MessageReceiver>();

  constructor(
    private readonly messages: MessageNetwork,
    readonly process: SimulatedProcess,
    readonly endpoint: string,
  ) {
    messages.attach(this);
  }

  address(actor: string): string {
    return `${actor}@${this.endpoint}`;
  }

  receive(actor: string, receiver: MessageReceiver): () => void {
    this.receivers.set(actor, receiver);
    return () => {
      if (this.receivers.get(actor) === receiver) this.receivers.delete(actor);
    };
  }

  send(to: string, message: OutboundMessage): void {
    if (this.process.alive) this.messages.send(this, to, message);
  }

  link(to: string, exited: () => void): () => void {
    return this.messages.link({ from: this, to: split(to)[1] ?? "", exited });
  }

  reset(to?: string): void {
    if (this.process.alive) this.messages.reset(this.endpoint, to === undefined ? undefined : split(to)[1]);
  }

  deliver(actor: string, message: Parameters<MessageReceiver>[0]): void {
    const receiver = this.receivers.get(actor);
    const { world, name } = this.process;
    world.note(
      `${name} <- ${message.from} ${message.name.replace("mesos.internal.", "")}${receiver === undefined ? " (nobody there)" : ""}`,
    );
    if (receiver !== undefined) this.guard(() => receiver(message));
  }

  /** As in real transports, an exception in a receiver is the daemon's fault, not the transport's. */
  guard(run: () => void): void {
    try {
      run();
    } catch (error) {
      const { world, name } = this.process;
      world.violate("no receiver throws", `${name}: ${messageOf(error)}\n${(error as Error).stack ?? ""}`);
    }
  }
}

const split = (address: string): string[] => address.split("@");
