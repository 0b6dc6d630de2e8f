import { crc32 } from "node:zlib";

/** What is stored is not what was written, or was written by a later version. */
export class UnreadableLogError extends Error {
  override readonly name = "UnreadableLogError";
}

/** The content of a shared log's head: which of the other values count, and who writes. */
export interface LogHead {
  /** Number of the snapshot, part of the names of its values. */
  readonly generation: number;
  readonly chunks: number;
  /** Length and CRC-32 of the snapshot. */
  readonly bytes: number;
  readonly crc: number;
  /** Number of the first entry after the snapshot. */
  readonly first: number;
  /** Number of the next entry; all entries before it exist. Undefined in heads written by earlier versions. */
  readonly next?: number | undefined;
  /** Who wrote the head, so that a writer recognizes its own; empty before the first write. */
  readonly writer: string;
}

/** Version of the layout; a reader refuses versions it does not know. */
const FORMAT = 1;

export const EMPTY_HEAD: LogHead = { generation: 0, chunks: 0, bytes: 0, crc: 0, first: 1, writer: "" };

/** With its checksum as a last field, which earlier versions ignore. */
export function encodeHead(head: LogHead): Buffer {
  const fields = { format: FORMAT, ...head };
  return Buffer.from(JSON.stringify({ ...fields, check: checkOf(fields) }), "utf8");
}

const checkOf = (fields: object): number => crc32(JSON.stringify(fields));

/** Throws an UnreadableLogError that says what is wrong. */
export function decodeHead(data: Buffer): LogHead {
  const value: unknown = parsed(data.toString("utf8"));
  if (typeof value !== "object" || value === null) {
    throw new UnreadableLogError("its header is no JSON object");
  }
  const { check, ...fields } = value as Readonly<Record<string, unknown>>;
  if (fields.format !== FORMAT) {
    throw new UnreadableLogError(
      `its header has format ${String(fields.format)}, this program reads format ${FORMAT}`,
    );
  }
  // Absent in heads written by earlier versions.
  if (check !== undefined && check !== checkOf(fields)) {
    throw new UnreadableLogError("its header is not what was written");
  }
  const number = (name: keyof LogHead): number => {
    const field = fields[name];
    if (typeof field !== "number" || !Number.isSafeInteger(field) || field < 0) {
      throw new UnreadableLogError(`its header has no sound '${name}'`);
    }
    return field;
  };
  return {
    generation: number("generation"),
    chunks: number("chunks"),
    bytes: number("bytes"),
    crc: number("crc"),
    first: number("first"),
    next: fields.next === undefined ? undefined : number("next"),
    // Absent in heads written by the first versions.
    writer: typeof fields.writer === "string" ? fields.writer : "",
  };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const digits = (value: number): string => String(value).padStart(10, "0");

export const chunkName = (generation: number, index: number): string =>
  `snapshot-${digits(generation)}-${digits(index)}`;

export const entryName = (number: number): string => `entry-${digits(number)}`;

/** The number of an entry, or the generation of a part of a snapshot; undefined for other names. */
export function numberIn(kind: "entry" | "snapshot", name: string): number | undefined {
  const digits = new RegExp(`^${kind}-(\\d{10})(?:-|$)`).exec(name)?.[1];
  return digits === undefined ? undefined : Number(digits);
}
