import type { OutboundMessage } from "../../sdk/contracts/message-transport.js";

export interface QueuedMessage {
  /** Id of the receiving actor. */
  readonly toId: string;
  readonly message: OutboundMessage;
}

const LAST_CHUNK = "\r\n0\r\n\r\n";

/**
 * Writes messages for one endpoint as libprocess does: the same header lines in the same order, a body as one chunk, no body
 * lines at all when it is empty. The parts of the head that do not change from message to message are kept.
 */
export class MessageWriter {
  private toId = "";
  private beginning = "POST //";
  private from = "";
  private lines = "";

  /**
   * @param endpoint `ip:port` of the receiver
   * @param addressOf the full address of a local actor
   */
  constructor(
    private readonly endpoint: string,
    private readonly addressOf: (actor: string) => string,
  ) {}

  /** All messages in one buffer. */
  encode(messages: readonly QueuedMessage[]): Buffer {
    let size = 0;
    for (const queued of messages) size += this.sizeOf(queued);
    const buffer = Buffer.allocUnsafe(size);
    let at = 0;
    for (const queued of messages) at = this.write(buffer, at, queued);
    return buffer;
  }

  private sizeOf({ toId, message }: QueuedMessage): number {
    this.prepare(toId, message.from);
    const head = this.beginning.length + message.name.length + this.lines.length;
    const { length } = message.body;
    if (length === 0) return head + 2;
    return head + CHUNKED.length + length.toString(16).length + 2 + length + LAST_CHUNK.length;
  }

  private write(buffer: Buffer, start: number, { toId, message }: QueuedMessage): number {
    this.prepare(toId, message.from);
    let at = start;
    at += buffer.write(this.beginning, at, "latin1");
    at += buffer.write(message.name, at, "latin1");
    at += buffer.write(this.lines, at, "latin1");
    const { body } = message;
    if (body.length === 0) return at + buffer.write("\r\n", at, "latin1");
    at += buffer.write(CHUNKED, at, "latin1");
    at += buffer.write(`${body.length.toString(16)}\r\n`, at, "latin1");
    buffer.set(body, at);
    at += body.length;
    return at + buffer.write(LAST_CHUNK, at, "latin1");
  }

  private prepare(toId: string, from: string): void {
    if (toId !== this.toId) {
      this.toId = toId;
      // An empty id gives no empty segment.
      this.beginning = toId === "" ? "POST /" : `POST /${toId}/`;
    }
    if (from !== this.from || this.lines === "") {
      this.from = from;
      const address = this.addressOf(from);
      this.lines = ` HTTP/1.1\r\nUser-Agent: libprocess/${address}\r\nLibprocess-From: ${address}\r\nConnection: Keep-Alive\r\nHost: ${this.endpoint}\r\n`;
    }
  }
}

const CHUNKED = "Transfer-Encoding: chunked\r\n\r\n";
