import type { Decoder, MessageMemory } from "./message-memory.js";

/** Longer strings are decoded by the runtime; for shorter ones the way there costs more than the work. */
const SHORT = 8;

/** Small byte fields (most are UUIDs) share a piece of memory of this size, which nothing else of another lifetime is in. */
const SLAB_BYTES = 4096;
const SMALL_BYTES = 64;

let slab = new ArrayBuffer(SLAB_BYTES);
let slabUsed = 0;

/** What generated decoders read from. Bytes that break the format make it throw, and never read past the end. */
export class BinaryReader {
  pos = 0;
  readonly len: number;
  /** Of generated decoders: how deep the present message is nested. */
  depth = 0;
  private readonly source: Buffer;

  /** @param memory nested messages that are the same as earlier ones are the same objects then, and must not be changed */
  constructor(
    bytes: Uint8Array,
    readonly memory?: MessageMemory,
  ) {
    this.source = Buffer.isBuffer(bytes)
      ? bytes
      : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.len = bytes.length;
  }

  /** Of a longer varint the lower 32 bits. */
  uint32(): number {
    let byte = this.byte();
    if (byte < 0x80) return byte;
    let value = byte & 0x7f;
    for (let shift = 7; shift < 70; shift += 7) {
      byte = this.byte();
      if (shift < 32) value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value >>> 0;
    }
    throw new Error("invalid varint");
  }

  int32(): number {
    return this.uint32() | 0;
  }

  uint64(): bigint {
    return BigInt.asUintN(64, this.varint());
  }

  int64(): bigint {
    return BigInt.asIntN(64, this.varint());
  }

  bool(): boolean {
    let any = 0;
    for (let count = 0; count < 10; count++) {
      const byte = this.byte();
      any |= byte & 0x7f;
      if (byte < 0x80) return any !== 0;
    }
    throw new Error("invalid varint");
  }

  double(): number {
    const start = this.advance(8);
    return this.source.readDoubleLE(start);
  }

  string(): string {
    const length = this.uint32();
    const start = this.advance(length);
    if (length > SHORT) return this.source.toString("utf8", start, this.pos);
    let text = "";
    for (let at = start; at < this.pos; at++) {
      const byte = this.source[at]!;
      if (byte > 0x7f) return this.source.toString("utf8", start, this.pos);
      text += String.fromCharCode(byte);
    }
    return text;
  }

  /** A copy: what is read from is often a view of a larger buffer that is used again. */
  bytes(): Buffer {
    const length = this.uint32();
    const start = this.advance(length);
    const copy = length <= SMALL_BYTES ? small(length) : Buffer.allocUnsafeSlow(length);
    this.source.copy(copy, 0, start, this.pos);
    return copy;
  }

  /** A nested message by the memory, which there has to be. */
  remembered<T>(decoder: Decoder<T>): T {
    const length = this.uint32();
    if (length > this.len - this.pos) throw new RangeError("premature EOF");
    return this.memory!.decode(decoder, this, { source: this.source, end: this.pos + length });
  }

  /** Skips what follows a tag of this wire type. */
  skip(wireType: number, field: number, nesting = 100): void {
    switch (wireType) {
      case 0:
        this.bool();
        return;
      case 1:
        this.advance(8);
        return;
      case 2:
        this.advance(this.uint32());
        return;
      case 3:
        this.skipGroup(field, nesting);
        return;
      case 5:
        this.advance(4);
        return;
      default:
        throw new Error(`cannot skip wire type ${wireType}`);
    }
  }

  private skipGroup(field: number, nesting: number): void {
    if (nesting <= 0) throw new Error("recursion limit exceeded");
    for (;;) {
      const tag = this.uint32();
      const inner = tag >>> 3;
      if (inner === 0) throw new Error(`invalid tag ${tag}`);
      if ((tag & 7) === 4) {
        if (inner !== field) throw new Error(`invalid tag ${tag}`);
        return;
      }
      this.skip(tag & 7, inner, nesting - 1);
    }
  }

  private varint(): bigint {
    let low = 0;
    let middle = 0;
    let high = 0;
    for (let count = 0; count < 10; count++) {
      const byte = this.byte();
      // In pieces of 28 bits, which numbers hold exactly: most values end in the first.
      if (count < 4) low |= (byte & 0x7f) << (7 * count);
      else if (count < 8) middle |= (byte & 0x7f) << (7 * (count - 4));
      else high |= (byte & 0x7f) << (7 * (count - 8));
      if (byte >= 0x80) continue;
      return count < 4 ? BigInt(low) : BigInt(low) | (BigInt(middle) << 28n) | (BigInt(high) << 56n);
    }
    throw new Error("invalid varint");
  }

  private byte(): number {
    if (this.pos >= this.len) throw new RangeError("premature EOF");
    return this.source[this.pos++]!;
  }

  /** Passes over so many bytes and returns where they begin. */
  private advance(bytes: number): number {
    const start = this.pos;
    if (bytes > this.len - start) throw new RangeError("premature EOF");
    this.pos = start + bytes;
    return start;
  }
}

function small(length: number): Buffer {
  if (slabUsed + length > SLAB_BYTES) {
    slab = new ArrayBuffer(SLAB_BYTES);
    slabUsed = 0;
  }
  const bytes = Buffer.from(slab, slabUsed, length);
  slabUsed += length;
  return bytes;
}
