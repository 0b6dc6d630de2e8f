import type { Registry as RegistryState } from "../../proto/gen/mesos/internal/registry.js";
import type { MasterInfo } from "../../proto/gen/mesos/v1/mesos.js";
import type { Clock } from "../contracts/clock.js";
import type { Tenure } from "../contracts/election.js";
import type { Logger } from "../contracts/logger.js";
import type { Random } from "../contracts/random.js";
import type { Registry, RegistryOperation } from "../contracts/registry.js";
import { messageOf, TepuiError } from "../errors/index.js";
import type { FencedStore } from "./fenced-store.js";
import { encodeRecords, type LogRecord } from "./record.js";
import { emptyFacts, type RegistryFacts, stateOf } from "./registry-facts.js";
import type { RegistryMetrics } from "./registry-metrics.js";
import { replay } from "./replay.js";
import { type LogPosition, SharedLog } from "./shared-log.js";
import { withTimeout } from "./with-timeout.js";
import { WriteQueue } from "./write-queue.js";

export interface SharedRegistryOptions {
  /** A new view of the same values, for one term. */
  readonly store: () => FencedStore;
  /** `ZooKeeper`, `etcd`. */
  readonly engine: string;
  /** Without credentials, for errors. */
  readonly url: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly metrics: RegistryMetrics;
  /** Milliseconds. */
  readonly fetchTimeout: number;
  readonly storeTimeout: number;
  /** Number of entries after the snapshot at which a new snapshot is taken. */
  readonly compactionEntries?: number;
}

const DEFAULT_COMPACTION_ENTRIES = 1000;
const COMPACTION_BYTES = 4 * 1024 * 1024;

/** Milliseconds that a look at the registry may take, because an HTTP client is waiting for it. */
const PEEK_TIMEOUT = 5000;

/** An entry is one value, which may hold 1 MB. */
const ENTRY_BYTES = 512 * 1024;

/**
 * The registry that several masters share: a new leader finds everything its predecessor acknowledged, and keeps the predecessor from
 * writing.
 *
 * Changes take effect in memory at once and are acknowledged once the engine has stored them; changes that arrive in the meantime go into
 * the next entry. After a failed write the stored content is unknown, so no further change is accepted until the next recovery.
 */
export class SharedRegistry implements Registry {
  private log: SharedLog | undefined;
  private facts: RegistryFacts = emptyFacts();
  private entries = 0;
  private historyBytes = 0;
  private snapshotBytes = 0;
  private readonly queue: WriteQueue;
  private closed = false;
  /** How far the log had been written when this process last knew. */
  private known: LogPosition | undefined;
  private peeking: Promise<RegistryState | undefined> | undefined;

  constructor(private readonly options: SharedRegistryOptions) {
    this.queue = new WriteQueue({
      ...options,
      timeout: options.storeTimeout,
      by: options.engine,
      place: options.url,
      write: (records) => this.write(records),
      broke: () => this.log?.close(),
    });
  }

  get recovered(): boolean {
    return this.log !== undefined && this.queue.failure === undefined;
  }

  async recover(master: MasterInfo, tenure?: Tenure): Promise<RegistryState> {
    if (this.closed) throw new TepuiError("TEPUI_REGISTRY_CLOSED");
    const { metrics, url, fetchTimeout, clock, random, engine, store, logger } = this.options;
    // Other masters may have written since this one's last term.
    this.log?.close();
    await this.queue.settled();
    this.known = this.log?.position ?? this.known;
    const done = metrics.fetch.start();
    const log = new SharedLog(store(), random);
    this.log = log;
    try {
      const work = log.open(tenure, this.known);
      const stored = await withTimeout({ clock, ms: fetchTimeout, work, by: engine });
      if (stored.snapshot === undefined && stored.entries.length === 0) {
        logger.warn({ registry: url }, "there is no registry yet: beginning with an empty one");
      }
      this.facts = replay(stored);
      this.entries = stored.entries.length;
      this.historyBytes = stored.entries.reduce((sum, { length }) => sum + length, 0);
      this.snapshotBytes = stored.snapshot?.length ?? 0;
    } catch (error) {
      log.close();
      const detail = `${url}: ${messageOf(error)}`;
      throw new TepuiError("TEPUI_REGISTRY_UNREADABLE", { detail, cause: error });
    }
    this.queue.reset();
    this.facts.master = master;
    await this.queue.add({ kind: "master", master });
    metrics.changed(this.facts);
    done();
    return stateOf(this.facts);
  }

  async apply(operation: RegistryOperation): Promise<boolean> {
    if (this.log === undefined || this.closed) throw new TepuiError("TEPUI_REGISTRY_CLOSED");
    return this.queue.apply(this.facts, operation);
  }

  /** Always asks the engine: this master may have been deposed without knowing it. */
  peek(): Promise<RegistryState | undefined> {
    this.peeking ??= this.look().finally(() => {
      this.peeking = undefined;
    });
    return this.peeking;
  }

  private async look(): Promise<RegistryState | undefined> {
    const { clock, engine, fetchTimeout, random, store } = this.options;
    const log = new SharedLog(store(), random);
    const ms = Math.min(fetchTimeout, PEEK_TIMEOUT);
    try {
      const stored = await withTimeout({ clock, ms, work: log.peek(), by: engine });
      return stored && stateOf(replay(stored));
    } finally {
      log.close();
    }
  }

  /** Waits for the write in progress, for as long as a store may take. */
  async close(): Promise<void> {
    this.closed = true;
    await this.queue.settled();
    this.log?.close();
  }

  private async write(records: readonly LogRecord[]): Promise<void> {
    const log = this.log!;
    const parts = this.full ? undefined : portions(records);
    if (parts === undefined) return this.replace(log);
    for (const part of parts) {
      this.entries++;
      for (const bytes of part) this.historyBytes += bytes.length;
      await log.append(part);
    }
  }

  private get full(): boolean {
    const limit = this.options.compactionEntries ?? DEFAULT_COMPACTION_ENTRIES;
    return this.entries >= limit || this.historyBytes > Math.max(COMPACTION_BYTES, 2 * this.snapshotBytes);
  }

  private replace(log: SharedLog): Promise<void> {
    const snapshot = Buffer.concat(encodeRecords([{ kind: "snapshot", state: stateOf(this.facts) }]));
    this.snapshotBytes = snapshot.length;
    this.entries = 0;
    this.historyBytes = 0;
    return log.replace(snapshot);
  }
}

/**
 * The encoded records, grouped so that each group fits into an entry. Undefined if a single record is too large for one: it then has to be
 * stored in a snapshot, which consists of several values.
 */
function portions(records: readonly LogRecord[]): Uint8Array[][] | undefined {
  const parts: Uint8Array[][] = [];
  let size = Number.POSITIVE_INFINITY;
  for (const record of records) {
    const encoded = encodeRecords([record]);
    const bytes = encoded.reduce((sum, { length }) => sum + length, 0);
    if (bytes > ENTRY_BYTES) return undefined;
    if (size + bytes > ENTRY_BYTES) {
      parts.push([]);
      size = 0;
    }
    parts.at(-1)!.push(...encoded);
    size += bytes;
  }
  return parts;
}
