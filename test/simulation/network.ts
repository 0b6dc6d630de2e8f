import type { SimulatedProcess } from "./process.js";
import type { World } from "./world.js";

/** Something in transit through a pipe. */
interface Parcel {
  readonly place: number;
  /** Runs at the other end. */
  readonly arrive: () => void;
}

/** One direction of a TCP connection: what goes in comes out in order, once, or not at all from some point on. */
export class Pipe {
  /** When the last thing in transit arrives. */
  private lastAt = 0;
  private sent = 0;
  private taken = 0;
  /** What does not get through, in order. */
  private held: Parcel[] = [];
  /** What arrived before something that was sent earlier. */
  private readonly early = new Map<number, Parcel>();
  closed = false;

  constructor(
    private readonly network: Network,
    readonly from: string,
    readonly to: string,
    private readonly receiver: () => SimulatedProcess | undefined,
  ) {
    network.pipes.add(this);
  }

  /** Sends something that runs `arrive` at the other end. */
  send(arrive: () => void): void {
    if (this.closed) return;
    const parcel = { place: this.sent++, arrive };
    if (this.held.length > 0 || this.blocked) this.hold(parcel);
    else this.deliver(parcel);
  }

  /** Nothing else arrives. */
  cut(): void {
    this.closed = true;
    this.held = [];
    this.network.pipes.delete(this);
  }

  /** The sender has died: the last of what is in transit may be lost with it. */
  orphan(): void {
    this.held = [];
    this.network.pipes.delete(this);
  }

  /** The link may be up again. */
  release(): void {
    if (this.closed || this.blocked) return;
    const late = this.held;
    this.held = [];
    for (const parcel of late) this.deliver(parcel);
  }

  private get blocked(): boolean {
    return this.network.blocked(this.from, this.to);
  }

  private hold(parcel: Parcel): void {
    this.held.push(parcel);
    this.held.sort((a, b) => a.place - b.place);
  }

  private deliver(parcel: Parcel): void {
    const { world } = this.network;
    this.lastAt = Math.max(this.lastAt, world.time + this.network.latency());
    this.receiver()?.inputAt(this.lastAt, () => this.arrived(parcel));
  }

  private arrived(parcel: Parcel): void {
    if (this.closed) return;
    // Packets that were in transit when the link went down are sent again when it is back.
    if (this.blocked) this.hold(parcel);
    else if (parcel.place > this.taken) this.early.set(parcel.place, parcel);
    else {
      this.taken++;
      parcel.arrive();
      this.goOn();
    }
  }

  private goOn(): void {
    const next = this.early.get(this.taken);
    if (next === undefined) return;
    this.early.delete(next.place);
    this.receiver()?.inputAt(this.network.world.time, () => this.arrived(next));
  }
}

/** The owner of one end of a connection. */
export interface Party {
  readonly process: SimulatedProcess;
  /** The connection has ended, as seen from this end. */
  readonly closed: (reason: string) => void;
}

/** A TCP connection between two processes. Each end notices its end in its own time. */
export class Connection {
  private readonly there: Pipe;
  private readonly back: Pipe;
  private readonly open = new Set<Party>();

  constructor(
    private readonly network: Network,
    private readonly client: Party,
    private readonly server: Party,
  ) {
    const [a, b] = [client.process.host.name, server.process.host.name];
    this.there = new Pipe(network, a, b, () => server.process);
    this.back = new Pipe(network, b, a, () => client.process);
    this.open.add(client).add(server);
    network.connections.add(this);
  }

  get hosts(): readonly [string, string] {
    return [this.there.from, this.there.to];
  }

  send(from: Party, arrive: () => void): void {
    if (!this.open.has(from)) return;
    const to = this.other(from);
    this.pipeFrom(from).send(() => {
      if (this.open.has(to)) arrive();
    });
  }

  /** One end closes: the other sees that after everything that was sent. */
  close(by: Party): void {
    if (!this.open.delete(by)) return;
    this.pipeTo(by).cut();
    this.sayEnd(by, "closed by the other end");
    this.forgetIfOver();
  }

  /** The process at this end has died. */
  abandon(process: SimulatedProcess): void {
    for (const party of [...this.open]) {
      if (party.process === process) this.close(party);
    }
  }

  /** Both ends lose it, at different times; what is in transit is lost. */
  break(reason: string): void {
    this.there.cut();
    this.back.cut();
    for (const party of this.open) {
      party.process.input(this.network.world.dice.exponential(300), () => {
        if (!this.open.delete(party)) return;
        this.forgetIfOver();
        party.closed(reason);
      });
    }
  }

  involves(process: SimulatedProcess): boolean {
    return this.client.process === process || this.server.process === process;
  }

  private sayEnd(by: Party, reason: string): void {
    const to = this.other(by);
    this.pipeFrom(by).send(() => {
      if (!this.open.delete(to)) return;
      this.forgetIfOver();
      to.closed(reason);
    });
  }

  private forgetIfOver(): void {
    if (this.open.size > 0) return;
    this.there.cut();
    this.back.cut();
    this.network.connections.delete(this);
  }

  private other(party: Party): Party {
    return party === this.client ? this.server : this.client;
  }

  private pipeFrom(party: Party): Pipe {
    return party === this.client ? this.there : this.back;
  }

  private pipeTo(party: Party): Pipe {
    return party === this.client ? this.back : this.there;
  }
}

/** Links between hosts, which can be slow, or dead in one direction or both. */
export class Network {
  readonly pipes = new Set<Pipe>();
  readonly connections = new Set<Connection>();
  private readonly dead = new Set<string>();
  /** Mean delay of a packet, in milliseconds. */
  delay = 2;

  constructor(readonly world: World) {}

  latency(): number {
    const { dice } = this.world;
    // Now and then a packet is lost and retransmitted.
    return dice.chance(0.02) ? 200 + dice.exponential(200) : 0.1 + dice.exponential(this.delay);
  }

  blocked(from: string, to: string): boolean {
    return from !== to && this.dead.has(`${from}>${to}`);
  }

  block(from: string, to: string): void {
    this.dead.add(`${from}>${to}`);
  }

  get whole(): boolean {
    return this.dead.size === 0;
  }

  /** The dead directions, as `from>to`. */
  get blocks(): readonly string[] {
    return [...this.dead];
  }

  unblock(line: string): void {
    this.dead.delete(line);
    for (const pipe of [...this.pipes]) if (`${pipe.from}>${pipe.to}` === line) pipe.release();
  }

  heal(): void {
    for (const line of [...this.dead]) this.unblock(line);
  }

  /** Connections over links with a dead direction. */
  stuck(): Connection[] {
    return [...this.connections].filter(({ hosts: [a, b] }) => this.blocked(a, b) || this.blocked(b, a));
  }
}
