const FIRST_BYTES = 16 * 1024;
/** A larger buffer is not kept for the next writer. */
const MAX_SPARE_BYTES = 1024 * 1024;
/** Longer strings are encoded by the runtime; for shorter ones the way there costs more than the work. */
const SHORT = 16;

const NOTHING = Buffer.alloc(0);

/** Nearly all messages are written from beginning to end before the next one, so one buffer serves them all. */
let spare: Buffer | undefined;

/** What generated encoders write to. */
export class BinaryWriter {
  private target: Buffer = NOTHING;
  private at = 0;
  /** Where each part begins whose length is not known yet. */
  private readonly forks: number[] = [];

  uint32(value: number): this {
    if (value >>> 0 !== value) throw new RangeError(`${value} is no unsigned 32-bit integer`);
    this.reserve(5);
    this.at = writeVarint(this.target, this.at, value);
    return this;
  }

  int32(value: number): this {
    if (value >= 0) return this.uint32(value);
    if ((value | 0) !== value) throw new RangeError(`${value} is no 32-bit integer`);
    // Negative numbers are as long as those of 64 bits.
    return this.varint(value >>> 0, 0xffff_ffff);
  }

  uint64(value: bigint): this {
    if (BigInt.asUintN(64, value) !== value)
      throw new RangeError(`${value} is no unsigned 64-bit integer`);
    return this.varint(Number(value & 0xffff_ffffn), Number(value >> 32n));
  }

  int64(value: bigint): this {
    if (BigInt.asIntN(64, value) !== value) throw new RangeError(`${value} is no 64-bit integer`);
    const bits = BigInt.asUintN(64, value);
    return this.varint(Number(bits & 0xffff_ffffn), Number(bits >> 32n));
  }

  bool(value: boolean): this {
    this.reserve(1);
    this.target[this.at++] = value ? 1 : 0;
    return this;
  }

  double(value: number): this {
    this.reserve(8);
    this.at = this.target.writeDoubleLE(value, this.at);
    return this;
  }

  string(value: string): this {
    const { length } = value;
    // Three bytes for each UTF-16 unit at most, and the length before them.
    this.reserve(length * 3 + 5);
    if (length <= SHORT && this.shortString(value, length)) return this;
    const prefix = lengthOfVarint(length);
    const written = this.target.write(value, this.at + prefix, "utf8");
    this.writeLength(this.at, prefix, written);
    return this;
  }

  bytes(value: Uint8Array): this {
    this.uint32(value.length);
    this.reserve(value.length);
    this.target.set(value, this.at);
    this.at += value.length;
    return this;
  }

  /** Begins a part that has its length before it. */
  fork(): this {
    this.reserve(1);
    this.forks.push(this.at);
    this.at++;
    return this;
  }

  /** Ends the part that was begun last. */
  join(): this {
    const start = this.forks.pop();
    if (start === undefined) throw new Error("join without fork");
    this.reserve(4);
    this.writeLength(start, 1, this.at - start - 1);
    return this;
  }

  /** All that was written; the writer is empty again. */
  finish(): Buffer {
    const written = Buffer.allocUnsafe(this.at);
    this.target.copy(written, 0, 0, this.at);
    if (spare === undefined && this.target.length <= MAX_SPARE_BYTES && this.target !== NOTHING) {
      spare = this.target;
    }
    this.target = NOTHING;
    this.at = 0;
    this.forks.length = 0;
    return written;
  }

  /** ASCII only: false when it is something else. */
  private shortString(value: string, length: number): boolean {
    const { target } = this;
    let { at } = this;
    target[at++] = length;
    for (let i = 0; i < length; i++) {
      const code = value.charCodeAt(i);
      if (code > 0x7f) return false;
      target[at++] = code;
    }
    this.at = at;
    return true;
  }

  /** Writes the length of what stands after room for `prefix` bytes, moving it when its length needs more. */
  private writeLength(start: number, prefix: number, length: number): void {
    const needed = lengthOfVarint(length);
    const from = start + prefix;
    if (needed !== prefix) this.target.copyWithin(start + needed, from, from + length);
    this.at = writeVarint(this.target, start, length) + length;
  }

  private varint(low: number, high: number): this {
    this.reserve(10);
    let lower = low;
    let upper = high;
    while (upper > 0 || lower > 0x7f) {
      this.target[this.at++] = (lower & 0x7f) | 0x80;
      lower = ((lower >>> 7) | (upper << 25)) >>> 0;
      upper >>>= 7;
    }
    this.target[this.at++] = lower;
    return this;
  }

  private reserve(bytes: number): void {
    if (this.at + bytes > this.target.length) this.grow(this.at + bytes);
  }

  private grow(needed: number): void {
    const taken = this.at === 0 && this.forks.length === 0 ? spare : undefined;
    if (taken !== undefined && taken.length >= needed) {
      spare = undefined;
      this.target = taken;
      return;
    }
    let size = Math.max(FIRST_BYTES, this.target.length * 2);
    while (size < needed) size *= 2;
    const bigger = Buffer.allocUnsafeSlow(size);
    this.target.copy(bigger, 0, 0, this.at);
    this.target = bigger;
  }
}

function writeVarint(target: Buffer, start: number, value: number): number {
  let at = start;
  let rest = value;
  while (rest > 0x7f) {
    target[at++] = (rest & 0x7f) | 0x80;
    rest >>>= 7;
  }
  target[at++] = rest;
  return at;
}

function lengthOfVarint(value: number): number {
  if (value < 0x80) return 1;
  if (value < 0x4000) return 2;
  if (value < 0x20_0000) return 3;
  return value < 0x1000_0000 ? 4 : 5;
}
