import { connect, type Socket } from "node:net";
import type { OutboundMessage } from "../../sdk/contracts/message-transport.js";
import { MessageWriter, type QueuedMessage } from "./message-writer.js";

export interface OutboundOptions {
  readonly host: string;
  readonly port: number;
  readonly endpoint: string;
  /** Bytes that may wait for the peer before the connection is given up. */
  readonly maxQueuedBytes: number;
  addressOf(actor: string): string;
  /** The connection has something to write; `flush` is called soon. */
  ready(connection: OutboundConnection): void;
  /** Called once. `reason` is undefined when it was closed from here. */
  closed(connection: OutboundConnection, reason: string | undefined): void;
}

/** What the peers answer is not looked at, so all connections read it into the same bytes. */
const dropped = Buffer.allocUnsafe(64 * 1024);

/** With more waiting than this, who can wait had better. */
const CROWDED_BYTES = 1024 * 1024;

/** Rough size of a message's head, for the bound of the queue. */
const HEAD_BYTES = 300;

/**
 * The one connection to an endpoint. It is made at once; messages wait until it stands and are written in one piece for each
 * turn of the event loop.
 */
export class OutboundConnection {
  /** Called when the connection is gone. */
  readonly links = new Set<() => void>();
  /** Set by the transport: `flush` is due. */
  dirty = false;
  readonly endpoint: string;
  private readonly socket: Socket;
  private readonly writer: MessageWriter;
  private queue: QueuedMessage[] = [];
  private queuedBytes = 0;
  private connected = false;
  private done = false;
  private idleSweeps = 0;
  /** A sweep has found it being made. */
  private late = false;
  private emptied: (() => void) | undefined;
  private emptying: Promise<void> | undefined;

  constructor(private readonly options: OutboundOptions) {
    this.endpoint = options.endpoint;
    this.writer = new MessageWriter(options.endpoint, options.addressOf);
    this.socket = connect({
      host: options.host,
      port: options.port,
      noDelay: true,
      onread: { buffer: dropped, callback: () => true },
    });
    let reason = "closed by the peer";
    this.socket.on("error", (error) => {
      reason = error.message;
    });
    this.socket.once("connect", () => {
      this.connected = true;
      if (this.queue.length > 0) options.ready(this);
    });
    this.socket.on("drain", () => this.tellEmptied());
    this.socket.once("end", () => void this.socket.destroy());
    this.socket.once("close", () => this.finish(reason));
  }

  send(toId: string, message: OutboundMessage): void {
    if (this.done) return;
    this.idleSweeps = 0;
    this.queue.push({ toId, message });
    this.queuedBytes += message.body.length + HEAD_BYTES;
    if (this.queuedBytes + this.socket.writableLength > this.options.maxQueuedBytes) {
      // A hole in the order of messages would be worse than a connection that breaks: both sides know how to go on from that.
      this.finish("the peer does not read what it is sent");
      this.socket.destroy();
    } else if (this.connected) {
      this.options.ready(this);
    }
  }

  /** Resolves when what waits for the peer has left, or never will; undefined while that is not much. */
  room(): Promise<void> | undefined {
    if (this.done || this.queuedBytes + this.socket.writableLength <= CROWDED_BYTES) return undefined;
    this.emptying ??= new Promise((resolve) => {
      this.emptied = resolve;
    });
    return this.emptying;
  }

  flush(): void {
    this.dirty = false;
    if (!this.connected || this.done || this.queue.length === 0) return;
    const messages = this.queue;
    this.queue = [];
    this.queuedBytes = 0;
    const bytes = this.writer.encode(messages);
    // What the system takes at once is followed by no "drain".
    if (this.emptying === undefined) this.socket.write(bytes);
    else this.socket.write(bytes, () => this.tellEmptied());
  }

  /** Called at an even pace: true when nobody is linked and nothing was sent for `sweeps` calls. */
  idleFor(sweeps: number): boolean {
    const idle = this.links.size === 0 && this.queue.length === 0 && this.socket.writableLength === 0;
    this.idleSweeps = idle ? this.idleSweeps + 1 : 0;
    return this.idleSweeps >= sweeps;
  }

  /**
   * Called at an even pace: gives up one that is still being made since the last time. The system would ask a peer that was out of reach ever
   * more rarely, for two minutes, also when it is back.
   */
  sweep(): void {
    if (this.connected) return;
    if (this.late) this.reset("the peer does not answer");
    this.late = true;
  }

  /** Writes what is queued and closes; links are not told. */
  close(): void {
    if (this.done) return;
    this.links.clear();
    this.flush();
    this.finish(undefined);
    if (this.connected) this.socket.destroySoon();
    else this.socket.destroy();
  }

  /** Breaks it; what has not arrived does not, not even what the system holds for a peer that is out of reach. */
  reset(reason: string): void {
    if (this.done) return;
    this.finish(reason);
    if (this.connected) this.socket.resetAndDestroy();
    else this.socket.destroy();
  }

  private finish(reason: string | undefined): void {
    if (this.done) return;
    this.done = true;
    this.queue = [];
    this.tellEmptied();
    this.options.closed(this, reason);
  }

  private tellEmptied(): void {
    this.emptied?.();
    this.emptied = undefined;
    this.emptying = undefined;
  }
}
