import {
  applyRecord,
  decodeRecords,
  emptyFacts,
  encodeRecords,
  type RegistryFacts,
  stateOf,
} from "../../sdk/registry/index.js";
import { encodeFrame, FRAME_FORMAT, type Frame, findLaterFrame, isTorn, readFrame } from "./frame.js";

/**
 * A segment is a file: a header, a frame with the whole state when it was begun, then one frame per commit.
 * It is created atomically (written aside, synced, renamed), so a crash can only cut its end short.
 */
const MAGIC = Buffer.from("TEPUIREG");
const HEADER_BYTES = MAGIC.length + 4;

export interface ReadSegment {
  readonly facts: RegistryFacts;
  /** Sequence number of its first frame. */
  readonly first: bigint;
  /** Sequence number of its last frame. */
  readonly sequence: bigint;
  /** Bytes at the end that belong to a commit that a crash cut short, and that was never acknowledged. */
  readonly tornBytes: number;
}

/** The first bytes of the file: header and snapshot. */
export function newSegment(sequence: bigint, facts: RegistryFacts): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  MAGIC.copy(header);
  header.writeUInt32LE(FRAME_FORMAT, MAGIC.length);
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
  if (format !== 1 && format !== FRAME_FORMAT) {
    throw new Error(`it has format ${format}, this program reads formats 1 and ${FRAME_FORMAT}`);
  }

  const first = readFrame(file, HEADER_BYTES, format);
  if (first === undefined) throw new Error(`the snapshot at byte ${HEADER_BYTES} is damaged`);
  let facts = emptyFacts();
  let sequence = first.sequence;
  let offset = HEADER_BYTES;
  for (let frame: Frame | undefined = first; frame !== undefined; frame = readFrame(file, offset, format)) {
    if (offset > HEADER_BYTES && frame.sequence !== sequence + 1n) {
      throw new Error(`commit ${sequence + 1n} is missing at byte ${offset}, where ${frame.sequence} stands`);
    }
    facts = replay(facts, frame.payload, offset);
    sequence = frame.sequence;
    offset = frame.end;
  }
  const later = findLaterFrame(file, { from: offset + 1, sequence, format });
  if (later !== undefined) {
    throw new Error(`the commit at byte ${offset} is damaged, and later ones follow from byte ${later}`);
  }
  if (offset < file.length && !isTorn(file, offset, format)) {
    throw new Error(`the last commit, at byte ${offset}, is damaged, and no crash leaves it so`);
  }
  return { facts, first: first.sequence, sequence, tornBytes: file.length - offset };
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
