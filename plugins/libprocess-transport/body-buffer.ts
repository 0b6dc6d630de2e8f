const FIRST_BYTES = 4096;

/**
 * Collects a body that arrives in parts. Grows with what has arrived, not with what was announced: an announcement costs the
 * sender nothing.
 */
export class BodyBuffer {
  private bytes: Buffer | undefined;
  length = 0;

  append(source: Buffer, start: number, end: number): void {
    const needed = this.length + end - start;
    if (this.bytes === undefined || this.bytes.length < needed) this.grow(needed);
    source.copy(this.bytes!, this.length, start, end);
    this.length = needed;
  }

  /** What was collected; starts anew. */
  take(): Buffer {
    const body = this.bytes?.subarray(0, this.length) ?? Buffer.alloc(0);
    this.bytes = undefined;
    this.length = 0;
    return body;
  }

  private grow(needed: number): void {
    const bigger = Buffer.allocUnsafe(Math.max(FIRST_BYTES, needed, 2 * this.length));
    this.bytes?.copy(bigger, 0, 0, this.length);
    this.bytes = bigger;
  }
}
