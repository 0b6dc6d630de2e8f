import { chmod, readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Logger } from "../../sdk/contracts/logger.js";
import { messageOf } from "../../sdk/errors/index.js";
import { checkedDirectory } from "./checked-directory.js";

/** A file that is to come from the cache, and how it gets there if it is not. */
export interface CacheableFile {
  /** Who asks for what: files are shared among those who ask with the same key. */
  readonly key: string;
  /** For people who look into the directory; a plain file name. */
  readonly name: string;
  /** Bytes that it will have. */
  size(signal: AbortSignal): Promise<number>;
  download(destination: string, signal: AbortSignal): Promise<void>;
}

/** A file of the cache, there until it is released. Nobody may change it. */
export interface CachedFile {
  readonly path: string;
  release(): void;
}

export interface FetchCacheOptions {
  /** Of this agent alone; what is in it at the start is removed. */
  readonly directory: string;
  /** Bytes. */
  readonly capacity: number;
  readonly logger: Logger;
}

interface Entry {
  readonly key: string;
  readonly path: string;
  /** Ends the download when nobody waits for it any more. */
  readonly abort: AbortController;
  /** Bytes that count against the capacity. */
  size: number;
  users: number;
  complete: boolean;
  /** No longer found by its key; the file goes with its last user. */
  retired: boolean;
  /** Settles when the file is there. */
  ready: Promise<void>;
}

/** The file cannot be cached, which is no reason not to fetch it. */
class NotCacheable extends Error {}

/**
 * Keeps fetched files within a given space. Several who ask for one file at once share one download. What nobody uses makes
 * room for what is asked for, the longest unused first; a file for which there is no room is not cached.
 */
export class FetchCache {
  /** The longest unused first. */
  private readonly entries = new Map<string, Entry>();
  private used = 0;
  private serial = 0;
  private usable = false;

  constructor(private readonly options: FetchCacheOptions) {}

  get usedBytes(): number {
    return this.used;
  }

  get capacity(): number {
    return this.options.capacity;
  }

  /** Empties the directory. One that cannot be used is logged, and nothing is cached. */
  async start(): Promise<void> {
    const { directory, logger } = this.options;
    try {
      await checkedDirectory(directory);
      for (const name of await readdir(directory)) {
        await rm(join(directory, name), { recursive: true, force: true });
      }
      this.usable = true;
    } catch (error) {
      logger.warn(
        { directory, reason: messageOf(error) },
        "the fetcher cache cannot be used, and files are fetched each time; --fetcher_cache_dir names another place",
      );
    }
  }

  /**
   * The file, downloaded first where it is not there yet. Undefined: it is to be fetched without the cache. Rejects when the
   * download that was made for this call fails.
   */
  async get(file: CacheableFile, signal: AbortSignal): Promise<CachedFile | undefined> {
    if (!this.usable) return undefined;
    const { entry, created } = await this.take(file);
    try {
      await untilAborted(entry.ready, signal);
    } catch (error) {
      this.release(entry);
      signal.throwIfAborted();
      if (created && !(error instanceof NotCacheable)) throw error;
      this.options.logger.info({ file: file.key, reason: messageOf(error) }, "fetching without the cache");
      return undefined;
    }
    return { path: entry.path, release: once(() => this.release(entry)) };
  }

  /** Counts the caller as a user of the entry that is there, or on its way, or else of a new one. */
  private async take(file: CacheableFile): Promise<{ entry: Entry; created: boolean }> {
    const { key } = file;
    for (let found = this.entries.get(key); found !== undefined; found = this.entries.get(key)) {
      const intact = !found.complete || (await sizeOf(found.path)) === found.size;
      if (this.entries.get(key) !== found) continue;
      if (!intact) {
        this.options.logger.warn({ file: key, path: found.path }, "a cached file was removed or changed");
        await this.retire(found);
        continue;
      }
      // To the end of those that may go.
      this.entries.delete(key);
      this.entries.set(key, found);
      found.users++;
      return { entry: found, created: false };
    }
    const entry = this.add(file);
    entry.users++;
    return { entry, created: true };
  }

  private add(file: CacheableFile): Entry {
    const entry: Entry = {
      key: file.key,
      path: join(this.options.directory, `c${++this.serial}-${file.name.slice(-100)}`),
      abort: new AbortController(),
      size: 0,
      users: 0,
      complete: false,
      retired: false,
      ready: Promise.resolve(),
    };
    this.entries.set(file.key, entry);
    entry.ready = this.fill(entry, file);
    // Whoever waits for it sees the failure; nobody may.
    entry.ready.catch(() => undefined);
    return entry;
  }

  private async fill(entry: Entry, file: CacheableFile): Promise<void> {
    const { signal } = entry.abort;
    try {
      await this.reserve(entry, await expectedSize(file, signal));
      await file.download(entry.path, signal);
      signal.throwIfAborted();
      await chmod(entry.path, 0o444);
      const { size } = await stat(entry.path);
      entry.complete = true;
      this.account(entry, size);
    } catch (error) {
      await this.retire(entry);
      throw error;
    }
  }

  /** Makes room and takes it. */
  private async reserve(entry: Entry, size: number): Promise<void> {
    const { capacity } = this.options;
    if (size > capacity)
      throw new NotCacheable(`${size} bytes are more than the whole cache has (${capacity})`);
    const victims = this.unused(this.used + size - capacity);
    if (victims === undefined) throw new NotCacheable(`files in use leave no room for ${size} bytes`);
    entry.size = size;
    this.used += size;
    await Promise.all(victims.map((victim) => this.retire(victim)));
  }

  /** The file has another size than was said. One that no longer fits serves those who wait for it, and goes. */
  private account(entry: Entry, size: number): void {
    this.used += size - entry.size;
    entry.size = size;
    const victims = this.unused(this.used - this.options.capacity);
    for (const victim of victims ?? [entry]) void this.retire(victim);
  }

  /** Entries that nobody uses and that together free so many bytes; undefined: there are not enough. */
  private unused(bytes: number): Entry[] | undefined {
    const chosen: Entry[] = [];
    let freed = 0;
    for (const entry of this.entries.values()) {
      if (freed >= bytes) break;
      if (!entry.complete || entry.users > 0) continue;
      chosen.push(entry);
      freed += entry.size;
    }
    return freed >= bytes ? chosen : undefined;
  }

  private release(entry: Entry): void {
    entry.users--;
    if (entry.users > 0) return;
    if (!entry.complete) {
      // Who asks next starts anew.
      if (this.entries.get(entry.key) === entry) this.entries.delete(entry.key);
      entry.abort.abort(new Error("nobody waits for the file any more"));
    } else if (entry.retired) void this.erase(entry);
  }

  /** The next to ask gets another file. */
  private async retire(entry: Entry): Promise<void> {
    if (this.entries.get(entry.key) === entry) this.entries.delete(entry.key);
    if (entry.retired) return;
    entry.retired = true;
    if (entry.users === 0 || !entry.complete) await this.erase(entry);
  }

  private async erase(entry: Entry): Promise<void> {
    this.used -= entry.size;
    entry.size = 0;
    try {
      await rm(entry.path, { force: true });
    } catch (error) {
      this.options.logger.warn({ err: error, path: entry.path }, "a cached file cannot be removed");
    }
  }
}

async function expectedSize(file: CacheableFile, signal: AbortSignal): Promise<number> {
  try {
    const size = await file.size(signal);
    if (size > 0) return size;
  } catch (error) {
    throw new NotCacheable(messageOf(error));
  }
  throw new NotCacheable("it is said to be empty");
}

async function sizeOf(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).size;
  } catch {
    return undefined;
  }
}

function untilAborted(promise: Promise<void>, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason);
    if (signal.aborted) abort();
    signal.addEventListener("abort", abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  });
}

function once(action: () => void): () => void {
  let done = false;
  return () => {
    if (done) return;
    done = true;
    action();
  };
}
