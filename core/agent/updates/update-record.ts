import { crc32 } from "node:zlib";
import { StatusUpdateRecord } from "../../../proto/gen/mesos/internal/messages.js";

/**
 * The checksum of a message, as an additional field at its end: readers that do not know the field, such as Mesos's agents, skip it. The
 * number is far from those that schemas use.
 */
const SEAL_FIELD = 51_966;
const SEAL_TAG = varint((SEAL_FIELD << 3) | 5);
const SEAL_SIZE = SEAL_TAG.length + 4;

/** A record in Mesos's format: the length in four bytes, little-endian, then the message. */
export function encodeRecord(record: StatusUpdateRecord): Uint8Array {
  return encodeDelimited(StatusUpdateRecord.encode(record).finish());
}

export function encodeDelimited(message: Uint8Array): Uint8Array {
  const bytes = Buffer.allocUnsafe(4 + message.length + SEAL_SIZE);
  bytes.writeUInt32LE(message.length + SEAL_SIZE, 0);
  bytes.set(message, 4);
  bytes.set(SEAL_TAG, 4 + message.length);
  bytes.writeUInt32LE(crc32(message), 4 + message.length + SEAL_TAG.length);
  return bytes;
}

export interface Delimited {
  /** As written, including their checksums. */
  readonly messages: readonly Uint8Array[];
  /** Bytes at the end that are not a complete message: the writer was cut off. */
  readonly rest: number;
  /** What cannot come from a writer that was cut off; `messages` are those before it. */
  readonly damage: string | undefined;
}

export function splitDelimited(bytes: Uint8Array): Delimited {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const messages: Uint8Array[] = [];
  let offset = 0;
  const split = (damage?: string): Delimited => ({ messages, rest: file.length - offset, damage });
  while (offset < file.length) {
    const left = file.subarray(offset);
    const length = left.length < 4 ? 0 : left.readUInt32LE(0);
    const whole = length > 0 && length <= left.length - 4;
    const sealed = sealedLength(left.subarray(4));
    if (sealed !== undefined && sealed !== length) return split("the length of a record in it is wrong");
    if (!whole) {
      // Zeroes: the file's size reached the disk before its content.
      const cutOff = length > 0 || left.length < 4 || left.every((byte) => byte === 0);
      return split(cutOff ? undefined : "there is something in it that is no record");
    }
    const message = left.subarray(4, 4 + length);
    if (sealed === undefined && endsInSeal(message)) return split("the checksum of a record in it is wrong");
    messages.push(message);
    offset += 4 + length;
  }
  return split();
}

/** Length of the message at the start of these bytes, found by its checksum; undefined if there is no valid one. */
function sealedLength(bytes: Buffer): number | undefined {
  for (let at = bytes.indexOf(SEAL_TAG); at >= 0; at = bytes.indexOf(SEAL_TAG, at + 1)) {
    const end = at + SEAL_SIZE;
    if (end <= bytes.length && bytes.readUInt32LE(end - 4) === crc32(bytes.subarray(0, at))) return end;
  }
  return undefined;
}

/** False also for messages from Mesos's agents, which have no checksum. */
const endsInSeal = (message: Buffer): boolean =>
  message.length >= SEAL_SIZE && message.subarray(-SEAL_SIZE, -4).equals(SEAL_TAG);

function varint(value: number): Buffer {
  const bytes: number[] = [];
  for (let left = value; ; left >>>= 7) {
    bytes.push(left > 0x7f ? (left & 0x7f) | 0x80 : left);
    if (left <= 0x7f) return Buffer.from(bytes);
  }
}
