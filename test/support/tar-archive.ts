/** One entry of an archive as a test wants it, sound or not. Names are written byte by byte (latin1). */
export interface ArchiveEntry {
  readonly name: string;
  /** The flag of the format: `0` file (default), `1` hard link, `2` symbolic link, `3`, `4` devices, `5` directory, `6` fifo. */
  readonly type?: string;
  readonly content?: string | Buffer;
  readonly target?: string;
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
  readonly mtime?: number;
  readonly device?: readonly [major: number, minor: number];
  /** Extended attributes. */
  readonly xattrs?: Readonly<Record<string, string>>;
  /** Records of a pax header before the entry. */
  readonly pax?: Readonly<Record<string, string>>;
  /** Size to claim, where it is not that of the content. */
  readonly size?: number;
}

/** An archive in POSIX form, written without the code under test. */
export function tarArchive(entries: readonly ArchiveEntry[]): Buffer {
  return Buffer.concat([...entries.flatMap(blocksOf), Buffer.alloc(1024)]);
}

function blocksOf(entry: ArchiveEntry): Buffer[] {
  const content = Buffer.from(entry.content ?? "");
  const long = entry.name.length > 100 ? { path: entry.name } : {};
  const longTarget = (entry.target ?? "").length > 100 ? { linkpath: entry.target! } : {};
  const xattrs = Object.fromEntries(
    Object.entries(entry.xattrs ?? {}).map(([name, value]) => [`SCHILY.xattr.${name}`, value]),
  );
  const pax: Record<string, string> = { ...long, ...longTarget, ...xattrs, ...entry.pax };
  const before =
    Object.keys(pax).length === 0
      ? []
      : blocksOf({ name: "pax", type: "x", content: Buffer.from(records(pax), "latin1") });
  return [...before, header(entry, entry.size ?? content.length), content, padding(content.length)];
}

function records(pax: Readonly<Record<string, string>>): string {
  return Object.entries(pax)
    .map(([key, value]) => {
      const rest = ` ${key}=${value}\n`;
      let length = rest.length;
      while (`${length}${rest}`.length !== length) length = `${length}${rest}`.length;
      return `${length}${rest}`;
    })
    .join("");
}

function header(entry: ArchiveEntry, size: number): Buffer {
  const block = Buffer.alloc(512);
  const octal = (value: number, offset: number, length: number): void => {
    block.write(`${value.toString(8).padStart(length - 1, "0")}\0`, offset, "latin1");
  };
  block.write(entry.name.slice(0, 100), 0, "latin1");
  octal(entry.mode ?? (entry.type === "5" ? 0o755 : 0o644), 100, 8);
  octal(entry.uid ?? 0, 108, 8);
  octal(entry.gid ?? 0, 116, 8);
  octal(size, 124, 12);
  octal(entry.mtime ?? 1_500_000_000, 136, 12);
  block.write(entry.type ?? "0", 156, "latin1");
  block.write((entry.target ?? "").slice(0, 100), 157, "latin1");
  block.write("ustar\x0000", 257, "latin1");
  octal(entry.device?.[0] ?? 0, 329, 8);
  octal(entry.device?.[1] ?? 0, 337, 8);
  block.fill(" ", 148, 156);
  octal(
    block.reduce((sum, byte) => sum + byte, 0),
    148,
    7,
  );
  return block;
}

const padding = (size: number): Buffer => Buffer.alloc((512 - (size % 512)) % 512);
