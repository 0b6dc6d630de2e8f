import type { Registry as RegistryState } from "../../proto/gen/mesos/internal/registry.js";
import type { MasterInfo } from "../../proto/gen/mesos/v1/mesos.js";
import type { Clock } from "../../sdk/contracts/clock.js";
import type { Logger } from "../../sdk/contracts/logger.js";
import type { Registry, RegistryOperation } from "../../sdk/contracts/registry.js";
import { messageOf, TepuiError } from "../../sdk/errors/index.js";
import {
  applyOperation,
  decodeRecords,
  emptyFacts,
  encodeRecords,
  factsOf,
  type LogRecord,
  type RegistryFacts,
  type RegistryMetrics,
  stateOf,
} from "../../sdk/registry/index.js";
import { RegistryStore, type RegistryStoreOptions, type Stored } from "./registry-store.js";

export interface ZooKeeperRegistryOptions extends RegistryStoreOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: RegistryMetrics;
  /** Without credentials, for errors. */
  readonly url: string;
  /** Milliseconds. */
  readonly fetchTimeout: number;
  readonly storeTimeout: number;
  /** Entries since the snapshot, from which on there is a new one. */
  readonly compactionEntries?: number;
}

interface Waiting {
  /** Undefined when the change changed nothing: then there is only something to wait for. */
  readonly record: LogRecord | undefined;
  readonly resolve: () => void;
  readonly reject: (error: TepuiError) => void;
}

const DEFAULT_COMPACTION_ENTRIES = 1000;
const COMPACTION_BYTES = 4 * 1024 * 1024;

/** An entry is one node, which may have 1 MB. */
const ENTRY_BYTES = 512 * 1024;

/**
 * The registry that several masters share: whoever leads finds what the one before had acknowledged, and keeps that one from writing.
 *
 * Changes take effect in memory at once and are answered once the ensemble has them; what arrives meanwhile goes into the next entry.
 * After a failed write nothing is known of what is stored, so nothing more is accepted until the next recovery.
 */
export class ZooKeeperRegistry implements Registry {
  private store: RegistryStore | undefined;
  private facts: RegistryFacts = emptyFacts();
  private entries = 0;
  private historyBytes = 0;
  private snapshotBytes = 0;
  private waiting: Waiting[] = [];
  private committing: Promise<void> | undefined;
  private failure: TepuiError | undefined;
  private closed = false;

  constructor(private readonly options: ZooKeeperRegistryOptions) {}

  get recovered(): boolean {
    return this.store !== undefined && this.failure === undefined;
  }

  async recover(master: MasterInfo): Promise<RegistryState> {
    if (this.closed) throw new TepuiError("TEPUI_REGISTRY_CLOSED");
    const { metrics, url, fetchTimeout, clock } = this.options;
    // Other masters may have written since the last term of this one.
    this.store?.close();
    while (this.committing !== undefined) await this.committing;
    const done = metrics.fetch.start();
    const store = new RegistryStore(this.options);
    this.store = store;
    try {
      const stored = await withTimeout({ clock, ms: fetchTimeout, work: store.open() });
      this.facts = factsIn(stored);
      this.entries = stored.entries.length;
      this.historyBytes = stored.entries.reduce((sum, { length }) => sum + length, 0);
      this.snapshotBytes = stored.snapshot?.length ?? 0;
    } catch (error) {
      store.close();
      const detail = `${url}: ${messageOf(error)}`;
      throw new TepuiError("TEPUI_REGISTRY_UNREADABLE", { detail, cause: error });
    }
    this.failure = undefined;
    this.facts.master = master;
    await this.commit({ kind: "master", master });
    metrics.changed(this.facts);
    done();
    return stateOf(this.facts);
  }

  async apply(operation: RegistryOperation): Promise<boolean> {
    if (this.store === undefined || this.closed) throw new TepuiError("TEPUI_REGISTRY_CLOSED");
    if (this.failure !== undefined) throw this.failure;
    const changed = applyOperation(this.facts, operation);
    if (changed) this.options.metrics.changed(this.facts);
    // "Nothing to change" may rest on a change that is not stored yet; so that answer waits, too.
    else if (this.committing === undefined && this.waiting.length === 0) return false;
    await this.commit(changed ? operation : undefined);
    return changed;
  }

  /** Waits for what is under way, as long as a store may take. */
  async close(): Promise<void> {
    this.closed = true;
    while (this.committing !== undefined) await this.committing;
    this.store?.close();
  }

  private commit(record: LogRecord | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      this.waiting.push({ record, resolve, reject });
      this.options.metrics.queued = this.waiting.length;
      this.committing ??= this.commitAll();
    });
  }

  /** Commits until nothing waits. Never rejects. */
  private async commitAll(): Promise<void> {
    // What else arrives in this turn of the event loop shares the first entry.
    await new Promise<void>((resolve) => setImmediate(resolve));
    while (this.waiting.length > 0) {
      const batch = this.waiting;
      this.waiting = [];
      await this.commitBatch(batch);
    }
    this.committing = undefined;
  }

  private async commitBatch(batch: readonly Waiting[]): Promise<void> {
    const { clock, metrics, storeTimeout, logger, url } = this.options;
    const records = batch.flatMap(({ record }) => (record === undefined ? [] : [record]));
    try {
      if (this.failure !== undefined) throw this.failure;
      if (records.length > 0) {
        const done = metrics.store.start();
        await withTimeout({ clock, ms: storeTimeout, work: this.write(records) });
        done();
      }
      for (const { resolve } of batch) resolve();
    } catch (error) {
      this.store?.close();
      if (this.failure === undefined) {
        const detail = `${url}: ${messageOf(error)}`;
        this.failure = new TepuiError("TEPUI_REGISTRY_WRITE_FAILED", { detail, cause: error });
        logger.error({ err: this.failure }, "the registry cannot be written and takes no more changes");
      }
      for (const { reject } of batch) reject(this.failure);
    }
    metrics.queued = this.waiting.length;
  }

  /** Must begin synchronously: here the facts are those after the batch, which is what a snapshot has to hold. */
  private async write(records: readonly LogRecord[]): Promise<void> {
    const store = this.store!;
    const limit = this.options.compactionEntries ?? DEFAULT_COMPACTION_ENTRIES;
    const bytes = Math.max(COMPACTION_BYTES, 2 * this.snapshotBytes);
    if (this.entries >= limit || this.historyBytes > bytes) {
      const snapshot = Buffer.concat(encodeRecords([{ kind: "snapshot", state: stateOf(this.facts) }]));
      this.snapshotBytes = snapshot.length;
      this.entries = 0;
      this.historyBytes = 0;
      await store.replace(snapshot);
      return;
    }
    for (const part of portions(records)) {
      this.entries++;
      for (const bytes of part) this.historyBytes += bytes.length;
      await store.append(part);
    }
  }
}

/** The records in encoded form, as many together as fit into an entry. */
function portions(records: readonly LogRecord[]): Uint8Array[][] {
  const parts: Uint8Array[][] = [];
  let size = Number.POSITIVE_INFINITY;
  for (const record of records) {
    const encoded = encodeRecords([record]);
    const bytes = encoded.reduce((sum, { length }) => sum + length, 0);
    if (size + bytes > ENTRY_BYTES) {
      parts.push([]);
      size = 0;
    }
    parts.at(-1)!.push(...encoded);
    size += bytes;
  }
  return parts;
}

/** Throws an Error where something cannot be understood. */
function factsIn({ snapshot, entries }: Stored): RegistryFacts {
  let facts = emptyFacts();
  for (const payload of snapshot === undefined ? entries : [snapshot, ...entries]) {
    for (const record of decodeRecords(payload)) {
      if (record.kind === "snapshot") facts = factsOf(record.state);
      else if (record.kind === "master") facts.master = record.master;
      else applyOperation(facts, record);
    }
  }
  return facts;
}

/** Rejects when the work takes longer; its late outcome is ignored. */
async function withTimeout<T>(options: { clock: Clock; ms: number; work: Promise<T> }): Promise<T> {
  const { clock, ms, work } = options;
  let expire: (error: Error) => void = () => {};
  const expired = new Promise<never>((_, reject) => {
    expire = reject;
  });
  const timer = clock.setTimeout(() => expire(new Error(`no answer from ZooKeeper within ${ms} ms`)), ms);
  try {
    return await Promise.race([work, expired]);
  } finally {
    timer.cancel();
  }
}
