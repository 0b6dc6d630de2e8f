import type { Clock } from "../../sdk/contracts/clock.js";
import type { InboundMessage } from "../../sdk/contracts/message-transport.js";

/** Where messages arrive: one for each daemon of the process. */
export interface Endpoint {
  deliver(actor: string, message: InboundMessage): void;
}

interface Letter {
  readonly from: string;
  readonly to: string;
  readonly actor: string;
  readonly message: InboundMessage;
}

interface Link {
  readonly from: string;
  readonly to: string;
  readonly exited: () => void;
}

/** Ports below are left to those who choose theirs. */
const FIRST_PORT = 20_000;

/**
 * The network between daemons that share a process. Everything sent goes through one queue, which is emptied by
 * `clock.setTimeout(0)`: on virtual time a run is the same every time, nobody is called back from within a send, and a test that
 * does not let time go on can look at the moment between sending and arriving. (Microtasks would run in the middle of
 * whatever the receiver awaits, and could not be held back.)
 */
export class LocalHub {
  private readonly endpoints = new Map<string, Endpoint>();
  private readonly isolated = new Set<string>();
  private readonly links = new Set<Link>();
  private letters: Letter[] = [];
  private ports = FIRST_PORT;

  constructor(private readonly clock: Clock) {}

  freePort(ip: string): number {
    while (this.endpoints.has(`${ip}:${this.ports}`)) this.ports++;
    return this.ports++;
  }

  attach(name: string, endpoint: Endpoint): void {
    if (this.endpoints.has(name)) throw new Error(`there is an endpoint ${name} already`);
    this.endpoints.set(name, endpoint);
  }

  /** As when a process ends: what is on its way to it is lost, and those linked to it are told. */
  detach(name: string): void {
    this.endpoints.delete(name);
    this.breakLinks((link) => link.to === name);
    for (const link of this.links) if (link.from === name) this.links.delete(link);
  }

  /** As when the cable is pulled: nothing arrives from or at the endpoint, and links to and from it break. */
  isolate(name: string): void {
    this.isolated.add(name);
    this.breakLinks((link) => link.to === name || link.from === name);
  }

  rejoin(name: string): void {
    this.isolated.delete(name);
  }

  post(letter: Letter): void {
    if (this.letters.length === 0) this.clock.setTimeout(this.drain, 0);
    this.letters.push(letter);
  }

  link(link: Link): () => void {
    if (!this.reachable(link.from, link.to)) {
      const timer = this.clock.setTimeout(link.exited, 0);
      return () => timer.cancel();
    }
    this.links.add(link);
    return () => void this.links.delete(link);
  }

  private reachable(from: string, to: string): boolean {
    return this.endpoints.has(to) && !this.isolated.has(from) && !this.isolated.has(to);
  }

  private readonly drain = (): void => {
    const letters = this.letters;
    this.letters = [];
    for (const { from, to, actor, message } of letters) {
      const own = from === to;
      if (own || this.reachable(from, to)) this.endpoints.get(to)?.deliver(actor, message);
    }
  };

  private breakLinks(broken: (link: Link) => boolean): void {
    for (const link of [...this.links]) {
      if (!broken(link)) continue;
      this.links.delete(link);
      this.clock.setTimeout(link.exited, 0);
    }
  }
}
