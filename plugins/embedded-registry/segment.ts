import {
  applyRecord,
  decodeRecords,
  emptyFacts,
  encodeRecords,
  type RegistryFacts,
  stateOf,
} from "../../sdk/registry/index.js";
import { encodeFrame, findLaterFrame, readFrame } from "./frame.js";

/**
 * A segment is a file: a header, a frame with everything known when it was begun, and a frame for each commit since.
 * It comes into being whole (written aside, synced, renamed), so only its end can be cut short by a crash.
 */
const MAGIC = Buffer.from("TEPUIREG");
const FORMAT = 1;
const HEADER_BYTES = MAGIC.length + 4;

export interface ReadSegment {
  readonly facts: RegistryFacts;
  /** Of the last frame. */
  readonly sequence: bigint;
  /** Bytes at the end that belong to a commit that a crash cut short, and that nobody was told about. */
  readonly tornBytes: number;
}

/** The file's first bytes: header and snapshot. */
export function newSegment(sequence: bigint, facts: RegistryFacts): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  MAGIC.copy(header);
  header.writeUInt32LE(FORMAT, MAGIC.length);
  return Buffer.concat([
    header,
    encodeFrame(sequence, encodeRecords([{ kind: "snapshot", state: stateOf(facts) }])),
  ]);
}

/** Throws an Error that says what is wrong and where. */
export function readSegment(file: Buffer): ReadSegment {
  if (file.length < HEADER_BYTES || !file.subarray(0, MAGIC.length).equals(MAGIC)) {
    throw new Error("it does not begin as a registry does");
  }
  const format = file.readUInt32LE(MAGIC.length);
  if (format !== FORMAT) throw new Error(`it has format ${format}, this program reads format ${FORMAT}`);

  const first = readFrame(file, HEADER_BYTES);
  if (first === undefined) throw new Error(`the snapshot at byte ${HEADER_BYTES} is damaged`);
  let facts = emptyFacts();
  let sequence = first.sequence;
  let offset = HEADER_BYTES;
  for (let frame = readFrame(file, offset); frame !== undefined; frame = readFrame(file, offset)) {
    if (offset > HEADER_BYTES && frame.sequence !== sequence + 1n) {
      throw new Error(`commit ${sequence + 1n} is missing at byte ${offset}, where ${frame.sequence} stands`);
    }
    facts = replay(facts, frame.payload, offset);
    sequence = frame.sequence;
    offset = frame.end;
  }
  const later = findLaterFrame(file, offset + 1, sequence);
  if (later !== undefined) {
    throw new Error(`the commit at byte ${offset} is damaged, and later ones follow from byte ${later}`);
  }
  return { facts, sequence, tornBytes: file.length - offset };
}

function replay(facts: RegistryFacts, payload: Buffer, offset: number): RegistryFacts {
  try {
    return decodeRecords(payload).reduce(applyRecord, facts);
  } catch (error) {
    throw new Error(`the commit at byte ${offset} cannot be read: ${String((error as Error).message)}`, {
      cause: error,
    });
  }
}
