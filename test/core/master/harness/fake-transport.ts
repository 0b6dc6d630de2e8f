import type {
  InboundMessage,
  MessageReceiver,
  MessageTransport,
  OutboundMessage,
} from "../../../../sdk/contracts/message-transport.js";

/** Keeps what the master sends, and lets a test speak for the peers. */
export class FakeTransport implements MessageTransport {
  /** Called with every message that the master sends. */
  sent: (to: string, message: OutboundMessage) => void = () => {};
  /** How often all that was under way was given up. */
  resets = 0;
  /** Whose connection was given up. */
  readonly resetPeers: string[] = [];
  private readonly receivers = new Map<string, MessageReceiver>();
  private readonly links = new Map<string, Set<() => void>>();

  constructor(private readonly endpoint = "10.0.0.100:5050") {}

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
    this.sent(to, message);
  }

  link(to: string, exited: () => void): () => void {
    const links = this.links.get(to) ?? new Set();
    this.links.set(to, links);
    links.add(exited);
    return () => links.delete(exited);
  }

  reset(to?: string): void {
    if (to === undefined) this.resets++;
    else this.resetPeers.push(to);
  }

  /** Delivers a message to an actor of the master. False: there is no such actor. */
  deliver(actor: string, message: InboundMessage): boolean {
    const receiver = this.receivers.get(actor);
    receiver?.(message);
    return receiver !== undefined;
  }

  /** The connection to a peer breaks. */
  breakLink(to: string): void {
    const links = this.links.get(to);
    this.links.delete(to);
    for (const exited of [...(links ?? [])]) exited();
  }

  get actors(): string[] {
    return [...this.receivers.keys()];
  }
}
