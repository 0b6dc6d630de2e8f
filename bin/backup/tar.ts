import { type FileHandle, open } from "node:fs/promises";

/** One entry of an archive. The mode has permission bits only. */
export type TarEntry =
  | { readonly kind: "file"; readonly path: string; readonly mode: number; readonly content: Buffer }
  | { readonly kind: "link"; readonly path: string; readonly target: string }
  | { readonly kind: "directory"; readonly path: string; readonly mode: number };

const BLOCK = 512;
const NAME_BYTES = 100;
const FLAGS = { file: "0", link: "2", directory: "5", pax: "x" } as const;

/** No file of a backup is larger; a larger size means damage. */
const MAX_FILE_BYTES = 2 ** 31 - 1;

/** The encoded entry. Names too long for the ustar header go into a pax header, which every current tar reads. */
export function encodeEntry(entry: TarEntry): Buffer {
  const content = entry.kind === "file" ? entry.content : Buffer.alloc(0);
  const target = entry.kind === "link" ? entry.target : "";
  const records = [record("path", entry.path, NAME_BYTES), record("linkpath", target, NAME_BYTES)].join("");
  const pax = Buffer.from(records, "utf8");
  const mode = entry.kind === "link" ? 0o777 : entry.mode;
  return Buffer.concat([
    ...(pax.length === 0
      ? []
      : [header({ name: "pax", target: "", mode: 0o600, size: pax.length, flag: FLAGS.pax }), padded(pax)]),
    header({ name: entry.path, target, mode, size: content.length, flag: FLAGS[entry.kind] }),
    padded(content),
  ]);
}

/** Marks the end of an archive. */
export const ARCHIVE_END = Buffer.alloc(2 * BLOCK);

/** The entries of an archive, in order. Throws an Error that says what is wrong with it. */
export async function* readArchive(path: string): AsyncGenerator<TarEntry> {
  const file = await open(path);
  try {
    yield* entriesOf(file);
  } finally {
    await file.close();
  }
}

async function* entriesOf(file: FileHandle): AsyncGenerator<TarEntry> {
  let pax = new Map<string, string>();
  for (let offset = 0; ; ) {
    const block = await read(file, offset, BLOCK);
    if (block.every((byte) => byte === 0)) return;
    const { name, target, mode, size, flag } = parseHeader(block, offset);
    const content = await read(file, offset + BLOCK, size);
    offset += BLOCK + Math.ceil(size / BLOCK) * BLOCK;
    if (flag === FLAGS.pax) {
      pax = parseRecords(content);
      continue;
    }
    const fullName = pax.get("path") ?? name;
    const fullTarget = pax.get("linkpath") ?? target;
    pax = new Map();
    if (flag === FLAGS.file) yield { kind: "file", path: fullName, mode, content };
    else if (flag === FLAGS.link) yield { kind: "link", path: fullName, target: fullTarget };
    else if (flag === FLAGS.directory) yield { kind: "directory", path: fullName, mode };
    else throw new Error(`'${fullName}' is of a kind that no backup has`);
  }
}

async function read(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const { size } = await file.stat();
  if (position + length > size) throw new Error("it is cut short");
  const bytes = Buffer.alloc(length);
  for (let done = 0; done < length; ) {
    const { bytesRead } = await file.read(bytes, done, length - done, position + done);
    if (bytesRead === 0) throw new Error("it is cut short");
    done += bytesRead;
  }
  return bytes;
}

interface Header {
  readonly name: string;
  readonly target: string;
  readonly mode: number;
  readonly size: number;
  readonly flag: string;
}

/** Offsets and lengths are those of POSIX's ustar format. */
function header({ name, target, mode, size, flag }: Header): Buffer {
  const block = Buffer.alloc(BLOCK);
  const octal = (value: number, at: number, length: number): void => {
    block.write(`${value.toString(8).padStart(length - 1, "0")}\0`, at, "latin1");
  };
  Buffer.from(name, "utf8").copy(block, 0, 0, NAME_BYTES);
  octal(mode & 0o7777, 100, 8);
  octal(0, 108, 8);
  octal(0, 116, 8);
  octal(size, 124, 12);
  octal(0, 136, 12);
  block.write("        ", 148, "latin1");
  block.write(flag, 156, "latin1");
  Buffer.from(target, "utf8").copy(block, 157, 0, NAME_BYTES);
  block.write("ustar\x0000", 257, "latin1");
  block.write(`${checksum(block).toString(8).padStart(6, "0")}\0 `, 148, "latin1");
  return block;
}

function parseHeader(block: Buffer, offset: number): Header {
  const text = (at: number, length: number): string =>
    block
      .subarray(at, at + length)
      .toString("utf8")
      .replace(/\0.*$/s, "");
  const octal = (at: number, length: number): number => Number.parseInt(text(at, length).trim(), 8);
  const sum = octal(148, 8);
  const blank = Buffer.from(block);
  blank.write("        ", 148, "latin1");
  const [mode, size] = [octal(100, 8), octal(124, 12)];
  if (text(257, 5) !== "ustar" || sum !== checksum(blank)) {
    throw new Error(`there is no archive's header at byte ${offset}`);
  }
  if (!(size >= 0 && size <= MAX_FILE_BYTES)) throw new Error(`the header at byte ${offset} makes no sense`);
  return { name: text(0, NAME_BYTES), target: text(157, NAME_BYTES), mode, size, flag: text(156, 1) || "0" };
}

const checksum = (block: Buffer): number => block.reduce((sum, byte) => sum + byte, 0);

const padded = (content: Buffer): Buffer =>
  Buffer.concat([content, Buffer.alloc((BLOCK - (content.length % BLOCK)) % BLOCK)]);

/** A pax record, if the value does not fit into the header. */
function record(key: string, value: string, room: number): string {
  if (Buffer.byteLength(value, "utf8") <= room) return "";
  const rest = ` ${key}=${value}\n`;
  const bytes = Buffer.byteLength(rest, "utf8");
  let length = bytes;
  while (String(length).length + bytes !== length) length = String(length).length + bytes;
  return `${length}${rest}`;
}

function parseRecords(content: Buffer): Map<string, string> {
  const records = new Map<string, string>();
  for (let at = 0; at < content.length; ) {
    const space = content.indexOf(" ", at);
    const length = Number(content.toString("latin1", at, space));
    const line = content.toString("utf8", space + 1, at + length - 1);
    const equals = line.indexOf("=");
    if (space < 0 || !(length > 0) || equals < 0) throw new Error("a long name cannot be read");
    records.set(line.slice(0, equals), line.slice(equals + 1));
    at += length;
  }
  return records;
}
