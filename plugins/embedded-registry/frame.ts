import { crc32 } from "node:zlib";

/**
 * The log is a row of frames; one frame is what one commit wrote:
 *
 *     length   u32 le   bytes of sequence and payload
 *     crc      u32 le   CRC-32 of sequence and payload
 *     sequence u64 le   one more than that of the frame before
 *     payload
 *
 * Only one frame is ever on its way to the disk, so a frame that a crash cut short is the last one of its file.
 */
const HEADER_BYTES = 8;
const SEQUENCE_BYTES = 8;

export interface Frame {
  readonly sequence: bigint;
  readonly payload: Buffer;
  /** Offset of the first byte after the frame. */
  readonly end: number;
}

export function encodeFrame(sequence: bigint, payload: readonly Uint8Array[]): Buffer {
  const frame = Buffer.concat([Buffer.alloc(HEADER_BYTES + SEQUENCE_BYTES), ...payload]);
  frame.writeBigUInt64LE(sequence, HEADER_BYTES);
  const body = frame.subarray(HEADER_BYTES);
  frame.writeUInt32LE(body.length, 0);
  frame.writeUInt32LE(crc32(body), 4);
  return frame;
}

/** The frame at `offset`; undefined when the bytes there are none. */
export function readFrame(file: Buffer, offset: number): Frame | undefined {
  if (file.length - offset < HEADER_BYTES + SEQUENCE_BYTES) return undefined;
  const length = file.readUInt32LE(offset);
  const start = offset + HEADER_BYTES;
  if (length < SEQUENCE_BYTES || length > file.length - start) return undefined;
  const body = file.subarray(start, start + length);
  if (crc32(body) !== file.readUInt32LE(offset + 4)) return undefined;
  return {
    sequence: body.readBigUInt64LE(0),
    payload: body.subarray(SEQUENCE_BYTES),
    end: start + length,
  };
}

/** No file holds more commits; a number beyond this distance is no sequence. */
const FARTHEST = 1n << 40n;

/**
 * Offset of a good frame later than `sequence`, at or after `from`, wherever it begins. Tells damage in the middle of a file,
 * which good frames follow, from an end that was cut short, which nothing follows.
 */
export function findLaterFrame(file: Buffer, from: number, sequence: bigint): number | undefined {
  for (let offset = from; offset <= file.length - HEADER_BYTES - SEQUENCE_BYTES; offset++) {
    const claimed = file.readBigUInt64LE(offset + HEADER_BYTES);
    if (claimed <= sequence || claimed > sequence + FARTHEST) continue;
    if (readFrame(file, offset) !== undefined) return offset;
  }
  return undefined;
}
