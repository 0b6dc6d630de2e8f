const FIRST_BYTES = 16 * 1024;

/** A body that comes in parts, however small they are: takes up at most twice its size. */
export class ReceivingBody {
  size = 0;
  private data: Buffer;

  /** @param limit it never is larger */
  constructor(private readonly limit: number) {
    this.data = Buffer.allocUnsafeSlow(Math.min(limit, FIRST_BYTES));
  }

  /** Bytes that it takes up. */
  get capacity(): number {
    return this.data.length;
  }

  push(part: Uint8Array): void {
    const size = this.size + part.length;
    if (size > this.data.length) {
      const grown = Buffer.allocUnsafeSlow(Math.min(this.limit, Math.max(size, 2 * this.data.length)));
      this.data.copy(grown, 0, 0, this.size);
      this.data = grown;
    }
    this.data.set(part, this.size);
    this.size = size;
  }

  whole(): Buffer {
    return this.data.subarray(0, this.size);
  }
}
