/** What the registry's node holds: which of the nodes below it count. */
export interface Header {
  /** Number of the snapshot, part of the names of its nodes. */
  readonly generation: number;
  readonly chunks: number;
  /** Length and CRC-32 of the snapshot. */
  readonly bytes: number;
  readonly crc: number;
  /** Number of the first entry after the snapshot. */
  readonly first: number;
}

/** Version of the layout; a reader refuses those that it does not know. */
const FORMAT = 1;

export const EMPTY_HEADER: Header = { generation: 0, chunks: 0, bytes: 0, crc: 0, first: 1 };

export function encodeHeader(header: Header): Buffer {
  return Buffer.from(JSON.stringify({ format: FORMAT, ...header }), "utf8");
}

/** Throws an Error that says what is wrong. */
export function decodeHeader(data: Buffer): Header {
  const value: unknown = parsed(data.toString("utf8"));
  if (typeof value !== "object" || value === null) throw new Error("its header is no JSON object");
  const fields = value as Readonly<Record<string, unknown>>;
  if (fields.format !== FORMAT) {
    throw new Error(`its header has format ${String(fields.format)}, this program reads format ${FORMAT}`);
  }
  const number = (name: keyof Header): number => {
    const field = fields[name];
    if (typeof field !== "number" || !Number.isSafeInteger(field) || field < 0) {
      throw new Error(`its header has no sound '${name}'`);
    }
    return field;
  };
  return {
    generation: number("generation"),
    chunks: number("chunks"),
    bytes: number("bytes"),
    crc: number("crc"),
    first: number("first"),
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
