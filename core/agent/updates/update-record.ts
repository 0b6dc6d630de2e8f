import { StatusUpdateRecord } from "../../../proto/gen/mesos/internal/messages.js";

/** A record as Mesos writes it: the length in four bytes, little-endian, then the message. */
export function encodeRecord(record: StatusUpdateRecord): Uint8Array {
  return encodeDelimited(StatusUpdateRecord.encode(record).finish());
}

export function encodeDelimited(message: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(4 + message.length);
  new DataView(bytes.buffer).setUint32(0, message.length, true);
  bytes.set(message, 4);
  return bytes;
}

export interface Delimited {
  readonly messages: readonly Uint8Array[];
  /** Bytes at the end that are no whole message: the writer was cut off. */
  readonly rest: number;
}

export function splitDelimited(bytes: Uint8Array): Delimited {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const messages: Uint8Array[] = [];
  let offset = 0;
  while (offset + 4 <= bytes.length) {
    const end = offset + 4 + view.getUint32(offset, true);
    if (end > bytes.length) break;
    messages.push(bytes.subarray(offset + 4, end));
    offset = end;
  }
  return { messages, rest: bytes.length - offset };
}
