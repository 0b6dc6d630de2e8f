import { ProtocolError } from "./errors.js";

/** Records above this are taken for a broken stream: OFFERS for ten thousand agents are some 6 MB. */
const DEFAULT_MAX_RECORD_BYTES = 128 * 1024 * 1024;

/** A decimal length of a record; more digits than a safe integer can have. */
const MAX_LENGTH_DIGITS = 16;

const NEWLINE = 0x0a;
const ZERO = 0x30;
const NINE = 0x39;

/**
 * Cuts a byte stream in RecordIO form (`<decimal length>\n<bytes>` repeated) into records, wherever the chunks are cut.
 * A record that lies within one chunk is a view of it, not a copy.
 */
export class RecordReader {
  private header = "";
  /** Length of the record being read; -1 while its header is. */
  private expected = -1;
  private parts: Uint8Array[] = [];
  private collected = 0;

  constructor(private readonly maxRecordBytes: number = DEFAULT_MAX_RECORD_BYTES) {}

  /** True when the stream may end here without cutting a record off. */
  get atBoundary(): boolean {
    return this.expected < 0 && this.header === "";
  }

  /**
   * Takes the next bytes and returns the records that they complete.
   *
   * @throws ProtocolError for a length that is no number or above the limit
   */
  push(chunk: Uint8Array): Uint8Array[] {
    const records: Uint8Array[] = [];
    let at = 0;
    while (at < chunk.length || this.expected === 0) {
      if (this.expected < 0) {
        at = this.readHeader(chunk, at);
        continue;
      }
      const missing = this.expected - this.collected;
      const end = Math.min(chunk.length, at + missing);
      const part = chunk.subarray(at, end);
      this.parts.push(part);
      this.collected += part.length;
      at = end;
      if (this.collected === this.expected) records.push(this.finish());
    }
    return records;
  }

  private readHeader(chunk: Uint8Array, from: number): number {
    let at = from;
    for (; at < chunk.length; at++) {
      const byte = chunk[at]!;
      if (byte === NEWLINE && this.header !== "") {
        this.expected = Number(this.header);
        this.header = "";
        if (this.expected > this.maxRecordBytes)
          throw new ProtocolError(
            `a record of ${this.expected} bytes is over the limit of ${this.maxRecordBytes}`,
          );
        return at + 1;
      }
      if (byte < ZERO || byte > NINE || this.header.length >= MAX_LENGTH_DIGITS)
        throw new ProtocolError("the stream does not consist of length-prefixed records");
      this.header += String.fromCharCode(byte);
    }
    return at;
  }

  private finish(): Uint8Array {
    const record = this.parts.length === 1 ? this.parts[0]! : Buffer.concat(this.parts);
    this.parts = [];
    this.collected = 0;
    this.expected = -1;
    return record;
  }
}
