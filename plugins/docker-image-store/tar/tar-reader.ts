import { invalid } from "../refusals.js";
import type { ByteReader } from "./byte-reader.js";
import { BLOCK_BYTES, paddingOf, shown, type TarEntry } from "./entry.js";
import { parsePax } from "./pax.js";

/** Headers that only describe the next entry are small; a large one is an attack on memory. */
const MAX_HEADER_BYTES = 1024 * 1024;
const XATTR = "SCHILY.xattr.";

const TYPES: Readonly<Record<string, TarEntry["type"]>> = {
  "0": "file",
  "\0": "file",
  "7": "file",
  "1": "hard-link",
  "2": "symlink",
  "3": "character",
  "4": "block",
  "5": "directory",
  "6": "fifo",
};

/** What headers before an entry say of it. */
interface Announced {
  path?: string;
  target?: string;
  pax: Map<string, string>;
}

/** Reads archives of ustar, GNU and pax form. Throws TEPUI_IMAGE_INVALID for anything else. */
export class TarReader {
  private readonly globals = new Map<string, string>();
  /** Of the current entry: content not read yet, and the padding behind it. */
  private remaining = 0;
  private padding = 0;
  /** Bytes read so far. */
  private at = 0;

  constructor(private readonly bytes: ByteReader) {}

  /** Where the content of the current entry, or what is left of it, begins in the archive. */
  get position(): number {
    return this.at;
  }

  /** The next entry; what was not read of the last one is passed over. Undefined at the end of the archive. */
  async next(): Promise<TarEntry | undefined> {
    const announced: Announced = { pax: new Map(this.globals) };
    for (;;) {
      await this.skip();
      const header = await this.take(BLOCK_BYTES);
      // Two blocks of zeroes end an archive; some writers leave them out.
      if (header.length === 0 || header.every((byte) => byte === 0)) return undefined;
      if (header.length < BLOCK_BYTES) throw invalid("the archive ends in the middle");
      checkSum(header);
      const type = String.fromCharCode(header[156]!);
      if (!"LKxg".includes(type)) return this.entry(header, announced);
      const size = numberAt(header, 124, 12);
      if (size > MAX_HEADER_BYTES) throw invalid(`the archive has a header of ${size} bytes`);
      const data = await this.take(size);
      if (data.length < size) throw invalid("the archive ends in the middle");
      this.padding = paddingOf(size);
      if (type === "L") announced.path = textAt(data, 0, size);
      else if (type === "K") announced.target = textAt(data, 0, size);
      else {
        for (const [key, value] of parsePax(data)) {
          announced.pax.set(key, value);
          if (type === "g") this.globals.set(key, value);
        }
      }
    }
  }

  /** More of the current entry's content; undefined at its end. */
  async content(): Promise<Buffer | undefined> {
    if (this.remaining === 0) return undefined;
    const part = await this.bytes.some(this.remaining);
    if (part === undefined) throw invalid("the archive ends in the middle");
    this.remaining -= part.length;
    this.at += part.length;
    return part;
  }

  private entry(header: Buffer, { path, target, pax }: Announced): TarEntry {
    const flag = String.fromCharCode(header[156]!);
    if (flag === "S" || [...pax.keys()].some((key) => key.startsWith("GNU.sparse."))) {
      throw invalid("the archive holds a sparse file, which layers of images cannot");
    }
    const name = pax.get("path") ?? path ?? nameOf(header);
    // Before ustar, a slash at the end told directories.
    const type = flag !== "5" && TYPES[flag] === "file" && name.endsWith("/") ? "directory" : TYPES[flag];
    if (type === undefined) {
      throw invalid(`the archive holds '${shown(name)}', which is of the unknown kind '${flag}'`);
    }
    const number = (key: string, offset: number, length: number): number =>
      pax.has(key) ? integer(pax.get(key)!, key) : numberAt(header, offset, length);
    // What has no content may say a size all the same.
    const size = type === "file" ? number("size", 124, 12) : 0;
    this.remaining = size;
    this.padding = paddingOf(size);
    const xattrs = new Map<string, Buffer>();
    for (const [key, value] of pax) {
      if (key.startsWith(XATTR)) xattrs.set(key.slice(XATTR.length), Buffer.from(value, "latin1"));
    }
    return {
      type,
      path: name,
      target: pax.get("linkpath") ?? target ?? textAt(header, 157, 100),
      mode: numberAt(header, 100, 8) & 0o7777,
      uid: number("uid", 108, 8),
      gid: number("gid", 116, 8),
      mtime: mtimeOf(pax.get("mtime"), header),
      size,
      major: type === "character" || type === "block" ? numberAt(header, 329, 8) : 0,
      minor: type === "character" || type === "block" ? numberAt(header, 337, 8) : 0,
      xattrs,
    };
  }

  private async skip(): Promise<void> {
    while ((await this.content()) !== undefined);
    const padding = await this.take(this.padding);
    if (padding.length < this.padding) throw invalid("the archive ends in the middle");
    this.padding = 0;
  }

  private async take(length: number): Promise<Buffer> {
    const taken = await this.bytes.read(length);
    this.at += taken.length;
    return taken;
  }
}

/** Up to the first NUL. */
function textAt(data: Buffer, offset: number, length: number): string {
  const text = data.toString("latin1", offset, offset + length);
  const end = text.indexOf("\0");
  return end < 0 ? text : text.slice(0, end);
}

/** POSIX headers keep the beginning of a long name apart; GNU ones keep other things there. */
function nameOf(header: Buffer): string {
  const name = textAt(header, 0, 100);
  const posix = header.toString("latin1", 257, 263) === "ustar\0";
  const prefix = posix ? textAt(header, 345, 155) : "";
  return prefix === "" ? name : `${prefix}/${name}`;
}

/** Octal text, or, with the first bit set, a binary number. */
function numberAt(header: Buffer, offset: number, length: number): number {
  const field = header.subarray(offset, offset + length);
  let value: number;
  if ((field[0]! & 0x80) !== 0) {
    // 0xff begins a negative number.
    value = field.reduce((sum, byte, index) => sum * 256 + (index === 0 ? byte & 0x7f : byte), 0);
    if (field[0] === 0xff) value = Number.NaN;
  } else {
    const text = textAt(field, 0, length).trim();
    value = text === "" ? 0 : /^[0-7]+$/.test(text) ? Number.parseInt(text, 8) : Number.NaN;
  }
  if (!Number.isSafeInteger(value)) throw invalid("the archive has a header with a malformed number");
  return value;
}

function integer(text: string, key: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(value)) {
    throw invalid(`the archive has a pax header with the malformed number ${key}`);
  }
  return value;
}

/** Before the epoch are some files of images made reproducible; they become as old as can be. */
function mtimeOf(pax: string | undefined, header: Buffer): string {
  if (pax !== undefined) return /^\d{1,12}(\.\d{1,18})?$/.test(pax) ? pax : "0";
  return header[136] === 0xff ? "0" : String(numberAt(header, 136, 12));
}

function checkSum(header: Buffer): void {
  const expected = Number.parseInt(textAt(header, 148, 8), 8);
  // The field itself counts as spaces.
  const field = header.subarray(148, 156).reduce((sum, byte) => sum + byte, 0);
  const actual = header.reduce((sum, byte) => sum + byte, 0) - field + 8 * 32;
  if (actual !== expected) throw invalid("this is no tar archive, or a damaged one");
}
