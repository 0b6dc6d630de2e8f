import { crc32 } from "node:zlib";
import type { Tenure } from "../contracts/election.js";
import type { Random } from "../contracts/random.js";
import type { FencedChange, FencedStore, Versioned } from "./fenced-store.js";
import {
  chunkName,
  decodeHead,
  EMPTY_HEAD,
  encodeHead,
  entryName,
  type LogHead,
  numberIn,
  UnreadableLogError,
} from "./log-head.js";

/** What is stored: the state at some point, and what was added since. */
export interface Stored {
  readonly snapshot: Buffer | undefined;
  readonly entries: readonly Buffer[];
}

/** How far a log has been written. Neither number ever becomes smaller. */
export interface LogPosition {
  readonly generation: number;
  readonly next: number;
}

/** Somebody else writes now: this process has been deposed. */
class FencedError extends Error {
  override readonly name = "FencedError";

  constructor() {
    super("another master has taken the registry over");
  }
}

/** ZooKeeper takes requests up to 1 MB, etcd up to 1.5 MB. */
const CHUNK_BYTES = 900_000;

/** How many values are read or removed at once. */
const WINDOW = 64;

const WRITER_BYTES = 16;

/**
 * Follows the writer's name when a checksum of the records comes next. The first versions put the records there, which start with another
 * byte.
 */
const CHECKED = 0;
const CHECKED_BYTES = 5;

const GONE_BACK =
  "its servers have lost data, or somebody removed it. Put a backup back (tepui restore), or start this master again to go on with what is there";

/** Reads rarely race with a writer; one that wins this often owns the registry. */
const READ_ATTEMPTS = 20;

/**
 * A log with snapshots, in values of a store that several masters can reach: a head, values with the parts of a snapshot, and one value per
 * entry.
 *
 * Each write is a transaction that also writes the head, at the version the writer knows. Whoever opens the log writes the head first, so
 * that no write of an earlier writer can succeed from then on.
 */
export class SharedLog {
  private head: LogHead = EMPTY_HEAD;
  private version = -1n;
  private next = 1;
  private readonly writer: Buffer;

  constructor(
    private readonly store: FencedStore,
    random: Random,
  ) {
    this.writer = Buffer.from(random.bytes(WRITER_BYTES));
  }

  /** As known to this writer; undefined before it has opened the log. */
  get position(): LogPosition | undefined {
    return this.version < 0n ? undefined : { generation: this.head.generation, next: this.next };
  }

  /**
   * Reads everything and fences off earlier writers. Rejects with an Error that says what cannot be read.
   *
   * @param tenure keeps a master that was deposed while reading from fencing off the current leader
   * @param least a log that has not come so far, or no longer exists, is refused
   */
  async open(tenure?: Tenure, least?: LogPosition): Promise<Stored> {
    return this.attempts(() => this.tryOpen(tenure, least));
  }

  /** Reads everything as it is at one moment and changes nothing: the current writer goes on. Undefined: there is no log. */
  async peek(): Promise<Stored | undefined> {
    const stored = await this.attempts(async () => {
      const found = await this.store.readHead();
      return found === undefined ? "none" : this.readAll(found);
    });
    return stored === "none" ? undefined : stored;
  }

  /** Rejects with FencedError, or with an Error when it is unknown whether the entry is stored. */
  async append(payload: readonly Uint8Array[]): Promise<void> {
    const data = Buffer.concat([this.writer, Buffer.alloc(CHECKED_BYTES), ...payload]);
    data.writeUInt8(CHECKED, WRITER_BYTES);
    data.writeUInt32LE(crc32(data.subarray(WRITER_BYTES + CHECKED_BYTES)), WRITER_BYTES + 1);
    const head = { ...this.head, next: this.next + 1 };
    await this.write(head, { name: entryName(this.next), data });
    this.head = head;
    this.next++;
  }

  /** Replaces everything stored with a snapshot. */
  async replace(snapshot: Buffer): Promise<void> {
    const { store } = this;
    const generation = this.head.generation + 1;
    const chunks = Math.ceil(snapshot.length / CHUNK_BYTES);
    for (let i = 0; i < chunks; i++) {
      const data = snapshot.subarray(i * CHUNK_BYTES, (i + 1) * CHUNK_BYTES);
      const put = await store.persist(() =>
        store.put({ name: chunkName(generation, i), data }, this.version),
      );
      if (!put) throw new FencedError();
    }
    const { length: bytes } = snapshot;
    const head = {
      ...this.head,
      generation,
      chunks,
      bytes,
      crc: crc32(snapshot),
      first: this.next,
      next: this.next,
    };
    await this.write(head);
    this.head = head;
    await store.persist(() => this.sweep());
  }

  /** Like `replace`, but also works for a log that could not be opened because it is unreadable. Fences off the current writer. */
  async overwrite(snapshot: Buffer): Promise<void> {
    await this.attempts(() => this.tryOverwrite(snapshot));
  }

  close(): void {
    this.store.close();
  }

  private async attempts<T>(work: () => Promise<T | undefined>): Promise<T> {
    for (let attempt = 0; attempt < READ_ATTEMPTS; attempt++) {
      const done = await this.store.persist(work);
      if (done !== undefined) return done;
    }
    throw new Error("other masters write it all the time");
  }

  /** Undefined: somebody else wrote in the meantime. */
  private async tryOpen(
    tenure: Tenure | undefined,
    least: LogPosition | undefined,
  ): Promise<Stored | undefined> {
    const { store } = this;
    const found = await store.readHead();
    if (found === undefined) {
      await store.makeHead(encodeHead(EMPTY_HEAD));
      return undefined;
    }
    const stored = await this.readAll(found);
    if (stored === undefined) return undefined;
    if (tenure?.holds() === false) throw new FencedError();
    const known = decodeHead(found.data);
    const next = known.first + stored.entries.length;
    const head = { ...known, next, writer: this.writer.toString("hex") };
    const version = await store.change({ head: encodeHead(head), version: found.version });
    if (version === undefined) return undefined;
    // Only now is it certain that this is not just what one lagging server had.
    if (least !== undefined && (next < least.next || known.generation < least.generation)) {
      const what =
        next === EMPTY_HEAD.first ? "it is gone" : "it is older than what this master has seen of it";
      throw new UnreadableLogError(`${what}; ${GONE_BACK}`);
    }
    this.head = head;
    this.version = version;
    this.next = next;
    return stored;
  }

  /** Undefined: somebody else wrote in the meantime. */
  private async tryOverwrite(snapshot: Buffer): Promise<true | undefined> {
    const { store } = this;
    const found = await store.readHead();
    if (found === undefined) {
      await store.makeHead(encodeHead(EMPTY_HEAD));
      return undefined;
    }
    const known = positionIn(found.data);
    const names = await store.names();
    // Beyond everything that has ever had a name there, so that nothing of it comes to count.
    const next = Math.max(known.next, ...names.map((name) => (numberIn("entry", name) ?? 0) + 1));
    const generation = Math.max(known.generation, ...names.map((name) => numberIn("snapshot", name) ?? 0));
    this.head = { ...EMPTY_HEAD, generation, first: next, writer: this.writer.toString("hex") };
    this.version = found.version;
    this.next = next;
    try {
      await this.replace(snapshot);
      return true;
    } catch (error) {
      if (error instanceof FencedError) return undefined;
      throw error;
    }
  }

  /** Undefined: the snapshot was replaced in the meantime. If only entries were appended, the result may include some, in order. */
  private async readAll(found: Versioned): Promise<Stored | undefined> {
    const head = decodeHead(found.data);
    const parts = await this.readChunks(head);
    const entries = await this.readEntries(head.first);
    const names = await this.store.names();
    const again = await this.store.readHead();
    if (again === undefined || decodeHead(again.data).generation !== head.generation) return undefined;
    const end = entryName(head.first + entries.length);
    // Entries appended in the meantime start there.
    if (!names.includes(end) && names.some((name) => name.startsWith("entry-") && name > end)) {
      throw new UnreadableLogError(`${end} is missing, and later ones are there`);
    }
    if (head.next !== undefined && head.first + entries.length < head.next) {
      throw new UnreadableLogError(`${end} is missing`);
    }
    const missing = parts.indexOf(undefined);
    if (missing >= 0) {
      throw new UnreadableLogError(`part ${missing + 1} of ${head.chunks} of its snapshot is missing`);
    }
    const snapshot = Buffer.concat(parts as Buffer[]);
    if (snapshot.length !== head.bytes || crc32(snapshot) !== head.crc) {
      throw new UnreadableLogError("its snapshot is not the one that was written");
    }
    return { snapshot: head.chunks === 0 ? undefined : snapshot, entries };
  }

  private async readChunks({ generation, chunks }: LogHead): Promise<(Buffer | undefined)[]> {
    const parts: (Buffer | undefined)[] = [];
    // One at a time: each is large.
    for (let i = 0; i < chunks; i++) {
      const [part] = await this.store.read([chunkName(generation, i)]);
      parts.push(part);
      if (part === undefined) break;
    }
    return parts;
  }

  private async readEntries(first: number): Promise<Buffer[]> {
    const entries: Buffer[] = [];
    for (;;) {
      const start = first + entries.length;
      const names = Array.from({ length: WINDOW }, (_, i) => entryName(start + i));
      for (const entry of await this.store.read(names)) {
        if (entry === undefined) return entries;
        entries.push(payloadOf(entry, entryName(first + entries.length)));
      }
    }
  }

  /** Makes a change that must take effect exactly once, although a lost connection leaves open whether it did. */
  private async write(head: LogHead, entry?: FencedChange["entry"]): Promise<void> {
    const { store } = this;
    const data = encodeHead(head);
    const change = { head: data, version: this.version, ...(entry && { entry }) };
    let uncertain = false;
    this.version = await store.persist(async () => {
      if (uncertain) {
        // The head names this writer: if its version has changed, the change was made.
        const now = await store.readHead();
        if (now !== undefined && now.version !== change.version && now.data.equals(data)) return now.version;
      }
      uncertain = true;
      const version = await store.change(change);
      if (version !== undefined) return version;
      // An earlier attempt that seemed lost may have made the change.
      const now = await store.readHead();
      if (now !== undefined && now.version !== change.version && now.data.equals(data)) return now.version;
      throw now === undefined ? new UnreadableLogError(`it is gone; ${GONE_BACK}`) : new FencedError();
    });
  }

  /** Removes what no longer counts. Only older values: a later writer may have written the newer ones. */
  private async sweep(): Promise<void> {
    const { generation, first } = this.head;
    const old = (await this.store.names()).filter(
      (name) =>
        (name.startsWith("entry-") && name < entryName(first)) ||
        (name.startsWith("snapshot-") && name < chunkName(generation, 0)),
    );
    for (let i = 0; i < old.length; i += WINDOW) await this.store.remove(old.slice(i, i + WINDOW));
  }
}

/** The position in a head that may be unreadable, as far as it can be decoded. */
function positionIn(head: Buffer): LogPosition {
  try {
    const { generation, next, first } = decodeHead(head);
    return { generation, next: next ?? first };
  } catch {
    return { generation: 0, next: 1 };
  }
}

/** The records of an entry. Throws an UnreadableLogError if it is not what was written. */
function payloadOf(entry: Buffer, name: string): Buffer {
  if (entry.length <= WRITER_BYTES) throw new UnreadableLogError(`${name} is cut short`);
  if (entry.readUInt8(WRITER_BYTES) !== CHECKED) return entry.subarray(WRITER_BYTES);
  const start = WRITER_BYTES + CHECKED_BYTES;
  const payload = entry.subarray(start);
  if (entry.length < start || crc32(payload) !== entry.readUInt32LE(WRITER_BYTES + 1)) {
    throw new UnreadableLogError(`${name} is not what was written`);
  }
  return payload;
}
