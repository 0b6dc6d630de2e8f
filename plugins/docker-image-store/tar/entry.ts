export const BLOCK_BYTES = 512;

/**
 * What an archive says of one file. Names are bytes in no known encoding; they are kept one character a byte (`latin1`), so that
 * whatever comes in goes out again.
 */
export interface TarEntry {
  readonly type: "file" | "hard-link" | "symlink" | "character" | "block" | "directory" | "fifo";
  readonly path: string;
  /** Of links. */
  readonly target: string;
  /** Permission bits, with set-uid, set-gid and sticky. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Seconds since the epoch, as decimal text with a fraction where there is one. */
  readonly mtime: string;
  /** Bytes of content that follow; 0 for all but files. */
  readonly size: number;
  readonly major: number;
  readonly minor: number;
  /** Extended attributes, by full name. */
  readonly xattrs: ReadonlyMap<string, Buffer>;
}

/** A name as people read it. */
export const shown = (name: string): string => Buffer.from(name, "latin1").toString("utf8");

/** Content is padded to whole blocks. */
export const paddingOf = (size: number): number => (BLOCK_BYTES - (size % BLOCK_BYTES)) % BLOCK_BYTES;
