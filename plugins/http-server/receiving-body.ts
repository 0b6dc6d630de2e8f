const BLOCK_BYTES = 64 * 1024;

/** A body that comes in parts, however small they are: takes up little more than its size. */
export class ReceivingBody {
  size = 0;
  private readonly blocks: Buffer[] = [];
  private last: Buffer = Buffer.alloc(0);
  /** What of the last block is used. */
  private used = 0;

  /** @param limit it never is larger */
  constructor(private readonly limit: number) {}

  /** Bytes that it takes up. */
  get capacity(): number {
    return this.size + this.last.length - this.used;
  }

  push(part: Buffer): void {
    for (let at = 0; at < part.length; ) {
      if (this.used === this.last.length) this.addBlock();
      const copied = part.copy(this.last, this.used, at);
      this.used += copied;
      this.size += copied;
      at += copied;
    }
  }

  whole(): Buffer {
    return Buffer.concat(this.blocks, this.size);
  }

  private addBlock(): void {
    this.last = Buffer.allocUnsafeSlow(Math.min(BLOCK_BYTES, Math.max(1, this.limit - this.size)));
    this.blocks.push(this.last);
    this.used = 0;
  }
}
