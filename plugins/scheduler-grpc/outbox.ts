import type { ServerDuplexStream } from "@grpc/grpc-js";

/**
 * What waits to be written to one stream. grpc-js takes a message only when the one before has gone out; the rest waits
 * here, where it can be counted and dropped.
 */
export class Outbox {
  private queue: Buffer[] = [];
  private bytes = 0;
  private blocked = false;
  private afterwards: (() => void) | undefined;

  constructor(
    private readonly stream: ServerDuplexStream<Buffer, Buffer>,
    private readonly maxBytes: number,
  ) {
    stream.on("drain", () => {
      this.blocked = false;
      this.flush();
    });
  }

  /** False when the message would take the queue over its limit. A message that finds an empty queue is always taken. */
  put(message: Buffer): boolean {
    if (this.bytes > 0 && this.bytes + message.length > this.maxBytes) return false;
    this.queue.push(message);
    this.bytes += message.length;
    this.flush();
    return true;
  }

  /** Calls `done` when everything put so far has been written. */
  whenEmpty(done: () => void): void {
    this.afterwards = done;
    this.flush();
  }

  drop(): void {
    this.queue = [];
    this.bytes = 0;
    this.afterwards = undefined;
  }

  private flush(): void {
    let written = 0;
    while (!this.blocked && written < this.queue.length) {
      const message = this.queue[written++]!;
      this.bytes -= message.length;
      this.blocked = !this.stream.write(message);
    }
    if (written > 0) this.queue = this.queue.slice(written);
    if (this.queue.length > 0) return;
    const { afterwards } = this;
    this.afterwards = undefined;
    afterwards?.();
  }
}
