import { crc32 } from "node:zlib";
import type { Random } from "../../sdk/contracts/random.js";
import { type AccessEntry, isZooKeeperError, type ZooKeeperClient } from "../../sdk/zookeeper/index.js";
import { chunkName, decodeHeader, EMPTY_HEADER, encodeHeader, entryName, type Header } from "./header.js";

export interface RegistryStoreOptions {
  readonly client: ZooKeeperClient;
  /** The registry's own node. */
  readonly path: string;
  readonly access: readonly AccessEntry[];
  readonly random: Random;
}

/** What is stored: the state at some time, and what was added since. */
export interface Stored {
  readonly snapshot: Buffer | undefined;
  readonly entries: readonly Buffer[];
}

/** Somebody else writes now: this process has been deposed. */
class FencedError extends Error {
  override readonly name = "FencedError";

  constructor() {
    super("another master has taken the registry over");
  }
}

/** Servers take requests up to 1 MB. */
const CHUNK_BYTES = 900_000;

/** Entries that are read at once. */
const WINDOW = 64;

const WRITER_BYTES = 16;

/** A writer meanwhile is seldom, and one that comes between so often has the registry. */
const READ_ATTEMPTS = 20;

/**
 * A log with snapshots, in nodes of ZooKeeper: a header, nodes with the parts of a snapshot, and one node an entry.
 *
 * Each write is a transaction that also writes the header at the version that the writer knows. Who opens the store writes the header
 * first, so that from then on no write of an earlier writer can succeed.
 */
export class RegistryStore {
  private header: Header = EMPTY_HEADER;
  /** Of the header's node. */
  private version = -1;
  private next = 1;
  private readonly writer: Buffer;
  private readonly unlisten: () => void;
  private closed = false;
  /** Ends waits for a connection. */
  private readonly wakes = new Set<() => void>();

  constructor(private readonly options: RegistryStoreOptions) {
    this.writer = Buffer.from(options.random.bytes(WRITER_BYTES));
    this.unlisten = options.client.listen({ connected: () => this.wake() });
  }

  /** Reads everything and keeps earlier writers out. Rejects with an Error that says what cannot be read. */
  async open(): Promise<Stored> {
    for (let attempt = 0; attempt < READ_ATTEMPTS; attempt++) {
      const stored = await this.reconnecting(() => this.tryOpen());
      if (stored !== undefined) return stored;
    }
    throw new Error("other masters write it all the time");
  }

  /** Rejects with FencedError, or with an Error when it is not known to be stored. */
  async append(payload: readonly Uint8Array[]): Promise<void> {
    const { client, access } = this.options;
    const entry = Buffer.concat([this.writer, ...payload]);
    const path = this.at(entryName(this.next));
    await this.write(
      () =>
        client.multi([
          { kind: "set", path: this.options.path, data: encodeHeader(this.header), version: this.version },
          { kind: "create", path, data: entry, access },
        ]),
      async () => (await this.read(path))?.equals(entry) === true,
    );
    this.next++;
  }

  /** Puts a snapshot of everything in the place of what is stored. */
  async replace(snapshot: Buffer): Promise<void> {
    const { client, path } = this.options;
    const generation = this.header.generation + 1;
    const chunks = Math.ceil(snapshot.length / CHUNK_BYTES);
    for (let i = 0; i < chunks; i++) {
      const data = snapshot.subarray(i * CHUNK_BYTES, (i + 1) * CHUNK_BYTES);
      await this.reconnecting(() => this.put(this.at(chunkName(generation, i)), data));
    }
    const header = { generation, chunks, bytes: snapshot.length, crc: crc32(snapshot), first: this.next };
    const data = encodeHeader(header);
    await this.write(
      () => client.multi([{ kind: "set", path, data, version: this.version }]),
      async () => (await this.read(path))?.equals(data) === true,
    );
    this.header = header;
    await this.reconnecting(() => this.sweep());
  }

  close(): void {
    this.closed = true;
    this.unlisten();
    this.wake();
  }

  /** Undefined: somebody wrote meanwhile. */
  private async tryOpen(): Promise<Stored | undefined> {
    const { client, path, access } = this.options;
    let found: { data: Buffer; stat: { version: number } };
    try {
      found = await client.getData(path);
    } catch (error) {
      if (!isZooKeeperError(error, "no-node")) throw error;
      await this.make(path, access);
      return undefined;
    }
    const header = decodeHeader(found.data);
    const snapshot = await this.readSnapshot(header, found.stat.version);
    if (snapshot === "changed") return undefined;
    const entries = await this.readEntries(header.first);
    try {
      const { version } = await client.setData({ path, data: found.data, version: found.stat.version });
      this.version = version;
    } catch (error) {
      if (isZooKeeperError(error, "bad-version")) return undefined;
      throw error;
    }
    this.header = header;
    this.next = header.first + entries.length;
    return { snapshot: header.chunks === 0 ? undefined : snapshot, entries };
  }

  private async make(path: string, access: readonly AccessEntry[]): Promise<void> {
    try {
      await this.options.client.create({ path, data: encodeHeader(EMPTY_HEADER), access });
    } catch (error) {
      if (!isZooKeeperError(error, "node-exists")) throw error;
    }
  }

  private async readSnapshot(header: Header, version: number): Promise<Buffer | "changed"> {
    const { client, path } = this.options;
    const chunks: Buffer[] = [];
    for (let i = 0; i < header.chunks; i++) {
      const chunk = await this.read(this.at(chunkName(header.generation, i)));
      if (chunk === undefined) {
        if ((await client.getData(path)).stat.version !== version) return "changed";
        throw new Error(`part ${i + 1} of ${header.chunks} of its snapshot is missing`);
      }
      chunks.push(chunk);
    }
    const snapshot = Buffer.concat(chunks);
    if (snapshot.length !== header.bytes || crc32(snapshot) !== header.crc) {
      throw new Error("its snapshot is not the one that was written");
    }
    return snapshot;
  }

  private async readEntries(first: number): Promise<Buffer[]> {
    const entries: Buffer[] = [];
    for (;;) {
      const start = first + entries.length;
      const window = await Promise.all(
        Array.from({ length: WINDOW }, (_, i) => this.read(this.at(entryName(start + i)))),
      );
      for (const entry of window) {
        if (entry === undefined) return entries;
        entries.push(entry.subarray(WRITER_BYTES));
      }
    }
  }

  /** Makes a change that must take effect once, though a broken connection leaves open whether it has. */
  private async write(change: () => Promise<unknown>, done: () => Promise<boolean>): Promise<void> {
    let uncertain = false;
    await this.reconnecting(async () => {
      try {
        await change();
      } catch (error) {
        if (isZooKeeperError(error, "bad-version", "node-exists", "no-node")) {
          if (uncertain && (await done())) return;
          throw new FencedError();
        }
        uncertain = true;
        throw error;
      }
    });
    this.version++;
  }

  /** A node that a broken attempt may have left is put right. */
  private async put(path: string, data: Buffer): Promise<void> {
    const { client, access } = this.options;
    try {
      await client.create({ path, data, access });
    } catch (error) {
      if (!isZooKeeperError(error, "node-exists")) throw error;
      await client.setData({ path, data });
    }
  }

  /** Removes what no longer counts. */
  private async sweep(): Promise<void> {
    const { client, path } = this.options;
    const { generation, chunks, first } = this.header;
    const keep = new Set(Array.from({ length: chunks }, (_, i) => chunkName(generation, i)));
    const old = (await client.getChildren(path)).filter((name) =>
      name.startsWith("entry-") ? name < entryName(first) : !keep.has(name),
    );
    for (let i = 0; i < old.length; i += WINDOW) {
      await Promise.all(old.slice(i, i + WINDOW).map((name) => this.remove(this.at(name))));
    }
  }

  private async remove(path: string): Promise<void> {
    try {
      await this.options.client.delete(path);
    } catch (error) {
      if (!isZooKeeperError(error, "no-node")) throw error;
    }
  }

  private async read(path: string): Promise<Buffer | undefined> {
    try {
      return (await this.options.client.getData(path)).data;
    } catch (error) {
      if (isZooKeeperError(error, "no-node")) return undefined;
      throw error;
    }
  }

  /** Does it again with the next connection, as often as connections break. */
  private async reconnecting<T>(work: () => Promise<T>): Promise<T> {
    for (;;) {
      await this.connection();
      try {
        return await work();
      } catch (error) {
        if (!isZooKeeperError(error, "connection-loss", "session-expired", "operation-timeout")) throw error;
      }
    }
  }

  private async connection(): Promise<void> {
    while (!this.closed && !this.options.client.connected) {
      await new Promise<void>((resolve) => this.wakes.add(resolve));
    }
    if (this.closed) throw new Error("the registry is closed");
  }

  private wake(): void {
    for (const wake of this.wakes) wake();
    this.wakes.clear();
  }

  private at(name: string): string {
    return `${this.options.path}/${name}`;
  }
}
