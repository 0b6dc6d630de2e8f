import type { Clock } from "../../sdk/contracts/clock.js";
import type { Logger } from "../../sdk/contracts/logger.js";
import type {
  InboundMessage,
  MessageReceiver,
  MessageTransport,
  OutboundMessage,
} from "../../sdk/contracts/message-transport.js";
import type { Endpoint, LocalHub } from "./local-hub.js";

export interface LocalTransportOptions {
  readonly hub: LocalHub;
  readonly ip: string;
  /** 0: the hub chooses. */
  readonly port: number;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Carries messages between daemons of one process, by the same rules as a network. */
export class LocalTransport implements MessageTransport, Endpoint {
  private readonly endpoint: string;
  private readonly receivers = new Map<string, MessageReceiver>();
  private readonly ownLinks = new Map<string, Set<() => void>>();
  private running = false;

  constructor(private readonly options: LocalTransportOptions) {
    const port = options.port === 0 ? options.hub.freePort(options.ip) : options.port;
    this.endpoint = `${options.ip}:${port}`;
  }

  start(): void {
    this.options.hub.attach(this.endpoint, this);
    this.running = true;
  }

  stop(): void {
    if (this.running) this.options.hub.detach(this.endpoint);
    this.running = false;
  }

  address(actor: string): string {
    return `${actor}@${this.endpoint}`;
  }

  receive(actor: string, receiver: MessageReceiver): () => void {
    if (this.receivers.has(actor)) throw new Error(`there is an actor '${actor}' already`);
    this.receivers.set(actor, receiver);
    return () => {
      if (this.receivers.get(actor) !== receiver) return;
      this.receivers.delete(actor);
      const links = this.ownLinks.get(actor) ?? [];
      this.ownLinks.delete(actor);
      for (const exited of links) this.options.clock.setTimeout(exited, 0);
    };
  }

  send(to: string, message: OutboundMessage): void {
    const target = split(to);
    if (!this.running || target === undefined) return;
    this.options.hub.post({
      from: this.endpoint,
      to: target.endpoint,
      actor: target.actor,
      message: { from: this.address(message.from), name: message.name, body: message.body },
    });
  }

  link(to: string, exited: () => void): () => void {
    const notify = (): void => this.guard(exited, "A link's callback failed");
    const target = split(to);
    const own = target?.endpoint === this.endpoint;
    if (target === undefined || !this.running || (own && !this.receivers.has(target.actor))) {
      const timer = this.options.clock.setTimeout(notify, 0);
      return () => timer.cancel();
    }
    if (!own) return this.options.hub.link({ from: this.endpoint, to: target.endpoint, exited: notify });
    const links = this.ownLinks.get(target.actor) ?? new Set();
    this.ownLinks.set(target.actor, links.add(notify));
    return () => void links.delete(notify);
  }

  deliver(actor: string, message: InboundMessage): void {
    const receiver = this.receivers.get(actor);
    if (receiver !== undefined) this.guard(() => receiver(message), "An actor failed to handle a message");
  }

  private guard(callback: () => void, text: string): void {
    try {
      callback();
    } catch (error) {
      this.options.logger.error({ err: error }, text);
    }
  }
}

function split(address: string): { actor: string; endpoint: string } | undefined {
  const match = /^([^@\s]*)@([^@\s:]+:\d{1,5})$/.exec(address);
  return match === null ? undefined : { actor: match[1]!, endpoint: match[2]! };
}
