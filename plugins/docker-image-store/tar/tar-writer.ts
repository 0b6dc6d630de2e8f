import { BLOCK_BYTES, paddingOf, type TarEntry } from "./entry.js";
import { formatPax } from "./pax.js";

const FLAGS: Readonly<Record<TarEntry["type"], string>> = {
  file: "0",
  "hard-link": "1",
  symlink: "2",
  character: "3",
  block: "4",
  directory: "5",
  fifo: "6",
};
const NAME_BYTES = 100;

/** The two blocks of zeroes that end an archive. */
export const END = Buffer.alloc(2 * BLOCK_BYTES);

/**
 * The headers of an entry, in GNU's form, which keeps names as bytes where pax would have them in UTF-8; pax headers only for what
 * that form lacks: extended attributes, and times finer than seconds.
 */
export function formatEntry(entry: TarEntry): Buffer {
  const parts: Buffer[] = [];
  const pax = new Map<string, string>();
  if (entry.mtime.includes(".")) pax.set("mtime", entry.mtime);
  for (const [name, value] of entry.xattrs) pax.set(`SCHILY.xattr.${name}`, value.toString("latin1"));
  if (pax.size > 0) parts.push(announcement("x", formatPax(pax)));
  if (entry.path.length > NAME_BYTES) parts.push(announcement("L", zeroEnded(entry.path)));
  if (entry.target.length > NAME_BYTES) parts.push(announcement("K", zeroEnded(entry.target)));
  parts.push(header(entry, FLAGS[entry.type]));
  return Buffer.concat(parts);
}

/** What follows the content of an entry. */
export const formatPadding = (size: number): Buffer => Buffer.alloc(paddingOf(size));

function announcement(flag: string, data: Buffer): Buffer {
  const blank = { mode: 0o644, uid: 0, gid: 0, mtime: "0", major: 0, minor: 0 };
  const name = "././@LongLink";
  return Buffer.concat([
    header({ ...blank, path: name, target: "", size: data.length }, flag),
    data,
    formatPadding(data.length),
  ]);
}

function header(entry: Omit<TarEntry, "type" | "xattrs">, flag: string): Buffer {
  const block = Buffer.alloc(BLOCK_BYTES);
  block.write(entry.path.slice(0, NAME_BYTES), 0, "latin1");
  writeNumber(block, entry.mode, [100, 8]);
  writeNumber(block, entry.uid, [108, 8]);
  writeNumber(block, entry.gid, [116, 8]);
  writeNumber(block, entry.size, [124, 12]);
  writeNumber(block, Math.floor(Number(entry.mtime)), [136, 12]);
  block.write(flag, 156, "latin1");
  block.write(entry.target.slice(0, NAME_BYTES), 157, "latin1");
  block.write("ustar  \0", 257, "latin1");
  writeNumber(block, entry.major, [329, 8]);
  writeNumber(block, entry.minor, [337, 8]);
  block.fill(" ", 148, 156);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
  return block;
}

/** In octal where it fits, otherwise in binary. */
function writeNumber(block: Buffer, value: number, [offset, length]: readonly [number, number]): void {
  const octal = value.toString(8);
  if (octal.length < length) {
    block.write(octal.padStart(length - 1, "0"), offset, "latin1");
    return;
  }
  let rest = value;
  for (let at = offset + length - 1; at >= offset; at--) {
    block[at] = rest % 256;
    rest = Math.floor(rest / 256);
  }
  block[offset] = block[offset]! | 0x80;
}

const zeroEnded = (text: string): Buffer => Buffer.from(`${text}\0`, "latin1");
