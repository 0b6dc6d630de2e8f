import { crc32 } from "node:zlib";

/**
 * The log is a row of frames; one frame is what one commit wrote:
 *
 *     length   u32 le   bytes from the sequence to the end
 *     crc      u32 le   CRC-32 of these
 *     check    u32 le   CRC-32 of length and crc
 *     sequence u64 le   one more than that of the frame before
 *     payload
 *     end      u8       never zero
 *
 * Only one frame is ever on its way to the disk, so a frame that a crash cut short is the last one of its file. What a crash leaves of
 * it is told from a whole frame that was damaged later: it is too short, or has zeroes where nothing was written. Frames of format 1
 * have neither check nor end.
 */
export type FrameFormat = 1 | 2;

export const FRAME_FORMAT = 2;

const SEQUENCE_BYTES = 8;
const END = Buffer.from([0xa5]);

const headerBytes = (format: FrameFormat): number => (format === 1 ? 8 : 12);
const endBytes = (format: FrameFormat): number => (format === 1 ? 0 : END.length);

/** The unit that a disk writes atomically. */
const SECTOR_BYTES = 512;

/** A shorter run of zeroes may well be real data. */
const LEAST_ZEROES = 4;

export interface Frame {
  readonly sequence: bigint;
  readonly payload: Buffer;
  /** Offset of the first byte after the frame. */
  readonly end: number;
}

export function encodeFrame(sequence: bigint, payload: readonly Uint8Array[]): Buffer {
  const start = headerBytes(FRAME_FORMAT);
  const frame = Buffer.concat([Buffer.alloc(start + SEQUENCE_BYTES), ...payload, END]);
  frame.writeBigUInt64LE(sequence, start);
  const body = frame.subarray(start);
  frame.writeUInt32LE(body.length, 0);
  frame.writeUInt32LE(crc32(body), 4);
  frame.writeUInt32LE(crc32(frame.subarray(0, 8)), 8);
  return frame;
}

/** The frame at `offset`; undefined when there is no valid one. */
export function readFrame(file: Buffer, offset: number, format: FrameFormat): Frame | undefined {
  const start = offset + headerBytes(format);
  const least = SEQUENCE_BYTES + endBytes(format);
  if (file.length - start < least) return undefined;
  if (format === 2 && crc32(file.subarray(offset, offset + 8)) !== file.readUInt32LE(offset + 8)) {
    return undefined;
  }
  const length = file.readUInt32LE(offset);
  if (length < least || length > file.length - start) return undefined;
  const body = file.subarray(start, start + length);
  if (crc32(body) !== file.readUInt32LE(offset + 4)) return undefined;
  return {
    sequence: body.readBigUInt64LE(0),
    payload: body.subarray(SEQUENCE_BYTES, body.length - endBytes(format)),
    end: start + length,
  };
}

/**
 * Whether the invalid bytes at `offset` are what a crash leaves of the last frame: shorter than the header says, or with zeroes in place
 * of a whole sector. Single zeroes within a sector are damage. In format 1 a crash cannot be told from damage; a crash is assumed because
 * it is likelier.
 */
export function isTorn(file: Buffer, offset: number, format: FrameFormat): boolean {
  if (format === 1) return true;
  const header = headerBytes(format);
  if (file.length - offset < header) return true;
  const sound = crc32(file.subarray(offset, offset + 8)) === file.readUInt32LE(offset + 8);
  if (sound && file.readUInt32LE(offset) > file.length - offset - header) return true;
  for (let start = offset; start < file.length; ) {
    const end = Math.min(file.length, (Math.floor(start / SECTOR_BYTES) + 1) * SECTOR_BYTES);
    // No frame ends with a zero.
    const least = end === file.length ? 1 : LEAST_ZEROES;
    if (end - start >= least && file.subarray(start, end).every((byte) => byte === 0)) return true;
    start = end;
  }
  return false;
}

/** No file holds this many commits, so a number farther away is not a sequence number. */
const FARTHEST = 1n << 40n;

/**
 * Offset of the first valid frame later than `sequence`, at or after `from`, at any alignment. Distinguishes damage in the middle of a
 * file, which valid frames follow, from a torn end, which nothing follows.
 */
export function findLaterFrame(
  file: Buffer,
  { from, sequence, format }: { from: number; sequence: bigint; format: FrameFormat },
): number | undefined {
  const header = headerBytes(format);
  for (let offset = from; offset <= file.length - header - SEQUENCE_BYTES; offset++) {
    const claimed = file.readBigUInt64LE(offset + header);
    if (claimed <= sequence || claimed > sequence + FARTHEST) continue;
    if (readFrame(file, offset, format) !== undefined) return offset;
  }
  return undefined;
}
