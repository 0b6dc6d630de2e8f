/**
 * ZooKeeper's serialization ("jute"): big-endian integers of fixed size; strings, byte strings and lists with a length prefix of four
 * bytes. A length of -1 stands for null.
 */

/** A server sent malformed bytes. */
export class JuteError extends Error {
  override readonly name = "JuteError";
}

/** Builds a record. */
export class JuteWriter {
  private readonly parts: Buffer[] = [];

  bool(value: boolean): this {
    this.parts.push(Buffer.from([value ? 1 : 0]));
    return this;
  }

  int(value: number): this {
    const bytes = Buffer.allocUnsafe(4);
    bytes.writeInt32BE(value);
    this.parts.push(bytes);
    return this;
  }

  long(value: bigint): this {
    const bytes = Buffer.allocUnsafe(8);
    bytes.writeBigInt64BE(value);
    this.parts.push(bytes);
    return this;
  }

  buffer(value: Uint8Array | undefined): this {
    if (value === undefined) return this.int(-1);
    this.int(value.length).parts.push(Buffer.from(value.buffer, value.byteOffset, value.byteLength));
    return this;
  }

  text(value: string): this {
    return this.buffer(Buffer.from(value, "utf8"));
  }

  list<T>(values: readonly T[], write: (writer: this, value: T) => void): this {
    this.int(values.length);
    for (const value of values) write(this, value);
    return this;
  }

  bytes(): Buffer {
    return Buffer.concat(this.parts);
  }

  /** The record with its length prefix, as it is sent over a connection. */
  frame(): Buffer {
    const body = this.bytes();
    const length = Buffer.allocUnsafe(4);
    length.writeInt32BE(body.length);
    return Buffer.concat([length, body]);
  }
}

const UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Reads one record; every method throws JuteError where the bytes end early or make no sense. */
export class JuteReader {
  private offset = 0;

  constructor(private readonly source: Buffer) {}

  get remaining(): number {
    return this.source.length - this.offset;
  }

  bool(): boolean {
    return this.source.readUInt8(this.take(1)) !== 0;
  }

  int(): number {
    return this.source.readInt32BE(this.take(4));
  }

  long(): bigint {
    return this.source.readBigInt64BE(this.take(8));
  }

  /** A copy, so that the value does not keep the whole frame alive. */
  buffer(): Buffer | undefined {
    const length = this.int();
    if (length === -1) return undefined;
    if (length < 0) throw new JuteError(`a length of ${length}`);
    const start = this.take(length);
    return Buffer.from(this.source.subarray(start, start + length));
  }

  text(): string {
    const bytes = this.buffer() ?? Buffer.alloc(0);
    try {
      return UTF8.decode(bytes);
    } catch {
      throw new JuteError("a text that is not UTF-8");
    }
  }

  list<T>(read: (reader: this) => T): T[] {
    const count = this.int();
    if (count === -1) return [];
    // Every list element takes four bytes or more, so an absurd count cannot allocate memory.
    if (count < 0 || count > this.remaining / 4) throw new JuteError(`a list of ${count}`);
    return Array.from({ length: count }, () => read(this));
  }

  private take(length: number): number {
    const start = this.offset;
    if (length > this.remaining) throw new JuteError(`${length} bytes expected, ${this.remaining} are left`);
    this.offset += length;
    return start;
  }
}
