/** Records above this are taken for a broken stream: OFFERS for ten thousand agents are some 6 MB. */
const DEFAULT_MAX_RECORD_BYTES = 128 * 1024 * 1024;

/** More digits than a length within any sensible limit has. */
const MAX_LENGTH_DIGITS = 15;

const NEWLINE = 0x0a;
const ZERO = 0x30;
const NINE = 0x39;

/** The stream is not in RecordIO form, or a record is above the limit. Nothing after it can be read. */
export class RecordError extends Error {
  override readonly name = "RecordError";
}

/**
 * Cuts a byte stream in RecordIO form (`<decimal length>\n<bytes>`, repeated) into records, wherever its chunks are cut. What
 * is kept grows with what has arrived, not with what a length announces.
 */
export class RecordDecoder {
  /** Length of the record being read; undefined while its length is. */
  private expected: number | undefined;
  private length = 0;
  private digits = 0;
  private parts: Uint8Array[] = [];
  private collected = 0;

  constructor(private readonly maxRecordBytes: number = DEFAULT_MAX_RECORD_BYTES) {}

  /** True when the stream may end here without cutting a record off. */
  get atBoundary(): boolean {
    return this.expected === undefined && this.digits === 0;
  }

  /**
   * Takes the next bytes and returns the records that they complete. A record that lies within one chunk is a view of it.
   *
   * @throws RecordError
   */
  push(chunk: Uint8Array): Uint8Array[] {
    const records: Uint8Array[] = [];
    let at = 0;
    while (at < chunk.length) {
      if (this.expected === undefined) {
        this.readLengthByte(chunk[at++]!);
      } else {
        const end = Math.min(chunk.length, at + this.expected - this.collected);
        this.parts.push(chunk.subarray(at, end));
        this.collected += end - at;
        at = end;
      }
      if (this.collected === this.expected) records.push(this.finish());
    }
    return records;
  }

  private readLengthByte(byte: number): void {
    if (byte === NEWLINE && this.digits > 0) {
      this.expected = this.length;
      return;
    }
    if (byte < ZERO || byte > NINE || this.digits === MAX_LENGTH_DIGITS) {
      throw new RecordError("the stream does not consist of records that begin with their length");
    }
    this.length = this.length * 10 + byte - ZERO;
    this.digits++;
    if (this.length > this.maxRecordBytes) {
      throw new RecordError(`a record is larger than the limit of ${this.maxRecordBytes} bytes`);
    }
  }

  private finish(): Uint8Array {
    const record = this.parts.length === 1 ? this.parts[0]! : Buffer.concat(this.parts);
    this.parts = [];
    this.collected = 0;
    this.expected = undefined;
    this.length = 0;
    this.digits = 0;
    return record;
  }
}
