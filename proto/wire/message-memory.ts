import type { BinaryReader } from "./reader.js";

/** What generated code decodes nested messages with. */
export interface Decoder<T> {
  decode(reader: BinaryReader, length: number): T;
}

interface Remembered {
  readonly decoder: Decoder<unknown>;
  readonly bytes: Uint8Array;
  readonly message: unknown;
}

/** A power of two. */
const SLOTS = 1024;
/** Longer ones are hardly ever the same. */
const MAX_BYTES = 1024;

/**
 * Remembers nested messages by their bytes, so that those that occur again and again (the id of an agent in each of its tasks, the infos
 * of frameworks from each of thousands of agents) are decoded once and are one object: only for readers who change none.
 */
export class MessageMemory {
  private readonly slots: (Remembered | undefined)[] = new Array(SLOTS).fill(undefined);

  /** Decodes what lies between the two offsets; `reader` stands at the first. */
  decode<T>(decoder: Decoder<T>, reader: BinaryReader, { source, end }: { source: Buffer; end: number }): T {
    const start = reader.pos;
    const length = end - start;
    if (length > MAX_BYTES) return decoder.decode(reader, length);
    const slot = slotOf(source, start, end);
    const known = this.slots[slot];
    if (known !== undefined && known.decoder === decoder && isAt(known.bytes, source, start, end)) {
      reader.pos = end;
      return known.message as T;
    }
    const message = decoder.decode(reader, length);
    const bytes = Uint8Array.prototype.slice.call(source, start, end);
    this.slots[slot] = { decoder, bytes, message };
    return message;
  }
}

/** FNV-1a. */
function slotOf(source: Buffer, start: number, end: number): number {
  let hash = 0x811c9dc5;
  for (let at = start; at < end; at++) hash = Math.imul(hash ^ source[at]!, 0x01000193);
  return (hash ^ (hash >>> 16)) & (SLOTS - 1);
}

function isAt(bytes: Uint8Array, source: Buffer, start: number, end: number): boolean {
  if (bytes.length !== end - start) return false;
  for (let at = 0; at < bytes.length; at++) if (bytes[at] !== source[start + at]) return false;
  return true;
}
