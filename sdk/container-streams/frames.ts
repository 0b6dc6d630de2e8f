/**
 * What a switchboard, which holds the streams of a container, and those attached say to each other on its unix socket. A frame is one
 * letter, the length of its content (4 bytes, the most significant first) and the content.
 *
 * The first frame says what for: `O` to read the output, `I` to write the input. The answer is `A`, or `B` where another writes. Then
 * come, for a reader, `1` and `2` (standard output and error) and at last `E` (the container ended) or `S` (cut off: it was too slow); for
 * a writer, `C` (the container takes no more). A writer sends `d` (data), `e` (end of input) and `w` (rows and columns, 2 bytes each).
 */
export interface SwitchboardFrame {
  readonly type: string;
  readonly content: Buffer;
}

/** The most that one frame may carry, in bytes. */
export const MAX_FRAME_BYTES = 65_536;

const HEADER_BYTES = 5;

/** What comes is no frame. */
export class FrameError extends Error {
  override readonly name = "FrameError";
}

/** @param type one character; at most MAX_FRAME_BYTES of content */
export function encodeFrame(type: string, content: Uint8Array = new Uint8Array()): Buffer {
  const framed = Buffer.allocUnsafe(HEADER_BYTES + content.length);
  framed.write(type, 0, 1, "latin1");
  framed.writeUInt32BE(content.length, 1);
  framed.set(content, HEADER_BYTES);
  return framed;
}

/** Cuts a stream into frames, wherever its chunks are cut. */
export class FrameDecoder {
  private rest: Buffer = Buffer.alloc(0);

  /** @throws FrameError for a frame that is longer than any is; nothing after it can be read. */
  push(chunk: Buffer): SwitchboardFrame[] {
    const data = this.rest.length === 0 ? chunk : Buffer.concat([this.rest, chunk]);
    const frames: SwitchboardFrame[] = [];
    let at = 0;
    while (data.length - at >= HEADER_BYTES) {
      const length = data.readUInt32BE(at + 1);
      if (length > MAX_FRAME_BYTES) throw new FrameError(`a frame of ${length} bytes`);
      const end = at + HEADER_BYTES + length;
      if (end > data.length) break;
      const type = data.toString("latin1", at, at + 1);
      frames.push({ type, content: data.subarray(at + HEADER_BYTES, end) });
      at = end;
    }
    this.rest = data.subarray(at);
    return frames;
  }
}
