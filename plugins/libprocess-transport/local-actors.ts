import type { Logger } from "../../sdk/contracts/logger.js";
import type { InboundMessage, MessageReceiver } from "../../sdk/contracts/message-transport.js";

interface Posted {
  readonly actor: string;
  readonly message: InboundMessage;
}

/** The actors of this process: who receives what, and who watches whom. */
export class LocalActors {
  private readonly receivers = new Map<string, MessageReceiver>();
  private readonly links = new Map<string, Set<() => void>>();
  private posted: Posted[] = [];

  constructor(private readonly logger: Logger) {}

  add(actor: string, receiver: MessageReceiver): () => void {
    if (this.receivers.has(actor)) throw new Error(`there is an actor '${actor}' already`);
    this.receivers.set(actor, receiver);
    return () => {
      if (this.receivers.get(actor) !== receiver) return;
      this.receivers.delete(actor);
      const watching = this.links.get(actor) ?? [];
      this.links.delete(actor);
      for (const exited of watching) setImmediate(() => this.guard(exited, "A link's callback failed"));
    };
  }

  /**
   * False when there is no such actor; a promise when the sender is to wait. Never throws: what a receiver throws is its own fault, not the
   * sender's.
   */
  deliver(actor: string, message: InboundMessage): boolean | Promise<void> {
    const receiver = this.receivers.get(actor);
    if (receiver === undefined) return false;
    try {
      return receiver(message) ?? true;
    } catch (error) {
      this.logger.error(
        { err: error, actor, from: message.from, message: message.name },
        "An actor failed to handle a message",
      );
    }
    return true;
  }

  /** Delivers in a later turn of the event loop, in order, as if it had come over a connection. */
  post(actor: string, message: InboundMessage): void {
    if (this.posted.length === 0) setImmediate(this.drain);
    this.posted.push({ actor, message });
  }

  link(actor: string, exited: () => void): () => void {
    if (!this.receivers.has(actor)) {
      const soon = setImmediate(() => this.guard(exited, "A link's callback failed"));
      return () => clearImmediate(soon);
    }
    const watching = this.links.get(actor) ?? new Set();
    this.links.set(actor, watching.add(exited));
    return () => void watching.delete(exited);
  }

  private readonly drain = (): void => {
    const posted = this.posted;
    this.posted = [];
    for (const { actor, message } of posted) void this.deliver(actor, message);
  };

  private guard(callback: () => void, text: string): void {
    try {
      callback();
    } catch (error) {
      this.logger.error({ err: error }, text);
    }
  }
}
