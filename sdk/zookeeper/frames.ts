import { JuteError } from "./jute.js";

/** Servers send no longer frames: by default they neither accept requests nor store nodes of more than 1 MB. */
const MAX_FRAME_BYTES = 4 * 1024 * 1024;

const LENGTH_BYTES = 4;

/** Splits the bytes of a connection into frames, whatever chunks they arrive in. */
export class FrameReader {
  private chunks: Buffer[] = [];
  private buffered = 0;

  constructor(private readonly limit: number = MAX_FRAME_BYTES) {}

  /** The frames that these bytes complete, without the length prefix. Throws JuteError for an impossible length. */
  push(bytes: Buffer): Buffer[] {
    this.chunks.push(bytes);
    this.buffered += bytes.length;
    const frames: Buffer[] = [];
    for (let length = this.nextLength(); length !== undefined; length = this.nextLength()) {
      if (this.buffered < LENGTH_BYTES + length) break;
      const all = this.joined();
      const end = LENGTH_BYTES + length;
      frames.push(all.subarray(LENGTH_BYTES, end));
      this.chunks = end === all.length ? [] : [all.subarray(end)];
      this.buffered = all.length - end;
    }
    return frames;
  }

  private nextLength(): number | undefined {
    if (this.buffered < LENGTH_BYTES) return undefined;
    if (this.chunks[0]!.length < LENGTH_BYTES) this.joined();
    const length = this.chunks[0]!.readInt32BE(0);
    if (length < 0 || length > this.limit) throw new JuteError(`a frame of ${length} bytes`);
    return length;
  }

  private joined(): Buffer {
    if (this.chunks.length > 1) this.chunks = [Buffer.concat(this.chunks)];
    return this.chunks[0]!;
  }
}
