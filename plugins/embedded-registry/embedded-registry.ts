import { join } from "node:path";
import type { Registry as RegistryState } from "../../proto/gen/mesos/internal/registry.js";
import type { MasterInfo } from "../../proto/gen/mesos/v1/mesos.js";
import type { Clock } from "../../sdk/contracts/clock.js";
import type { Logger } from "../../sdk/contracts/logger.js";
import type { Registry, RegistryOperation } from "../../sdk/contracts/registry.js";
import { messageOf, TepuiError } from "../../sdk/errors/index.js";
import {
  applyOperation,
  emptyFacts,
  encodeRecords,
  type LogRecord,
  type RegistryFacts,
  type RegistryMetrics,
  stateOf,
} from "../../sdk/registry/index.js";
import { DirectoryLock } from "./directory-lock.js";
import { encodeFrame } from "./frame.js";
import { newSegment, type ReadSegment, readSegment } from "./segment.js";
import { SegmentDirectory } from "./segment-directory.js";
import { withTimeout } from "./with-timeout.js";

export interface EmbeddedRegistryOptions {
  /** Directory of its own; made when missing. */
  readonly directory: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: RegistryMetrics;
  /** Milliseconds. */
  readonly fetchTimeout: number;
  readonly storeTimeout: number;
  /** A segment that has grown by this many bytes, and is mostly history, is replaced by a new one. */
  readonly compactionBytes?: number;
}

interface Waiting {
  /** Undefined when the change changed nothing: then there is only something to wait for. */
  readonly record: LogRecord | undefined;
  readonly resolve: () => void;
  readonly reject: (error: TepuiError) => void;
}

const DEFAULT_COMPACTION_BYTES = 4 * 1024 * 1024;

/**
 * A registry in files below the master's work directory. Changes take effect in memory at once and are answered once they are on
 * the disk; what arrives while a commit is on its way goes into the next one, so that many changes share one sync.
 *
 * After a failed write nothing is known of the disk, so nothing more is accepted: the master has to start anew.
 */
export class EmbeddedRegistry implements Registry {
  private readonly files: SegmentDirectory;
  private lock: DirectoryLock | undefined;
  private facts: RegistryFacts = emptyFacts();
  private sequence = 0n;
  private snapshotBytes = 0;
  private historyBytes = 0;
  private waiting: Waiting[] = [];
  private committing: Promise<void> | undefined;
  private state: "new" | "open" | "closed" = "new";
  private failure: TepuiError | undefined;

  constructor(private readonly options: EmbeddedRegistryOptions) {
    this.files = new SegmentDirectory(options.directory);
  }

  get recovered(): boolean {
    return this.state === "open";
  }

  async recover(master: MasterInfo): Promise<RegistryState> {
    if (this.state === "open") {
      this.facts.master = master;
      await this.commit({ kind: "master", master });
      return stateOf(this.facts);
    }
    const done = this.options.metrics.fetch.start();
    try {
      await withTimeout(this.options.clock, this.options.fetchTimeout, this.load(master));
    } catch (error) {
      await this.release();
      if (error instanceof TepuiError) throw error;
      throw new TepuiError("TEPUI_REGISTRY_UNREADABLE", {
        detail: `${this.options.directory}: ${messageOf(error)}`,
        cause: error,
      });
    }
    this.state = "open";
    this.options.metrics.changed(this.facts);
    done();
    return stateOf(this.facts);
  }

  async apply(operation: RegistryOperation): Promise<boolean> {
    if (this.state !== "open") throw new TepuiError("TEPUI_REGISTRY_CLOSED");
    if (this.failure !== undefined) throw this.failure;
    const changed = applyOperation(this.facts, operation);
    if (changed) this.options.metrics.changed(this.facts);
    // "Nothing to change" may rest on a change that is not durable yet; so that answer waits, too.
    else if (this.committing === undefined && this.waiting.length === 0) return false;
    await this.commit(changed ? operation : undefined);
    return changed;
  }

  /** Waits for what is under way and closes the files. */
  async close(): Promise<void> {
    if (this.state === "closed") return;
    this.state = "closed";
    while (this.committing !== undefined) await this.committing;
    await this.release();
  }

  private async release(): Promise<void> {
    await this.files.close();
    await this.lock?.release();
  }

  private async load(master: MasterInfo): Promise<void> {
    await this.files.create();
    this.lock = await DirectoryLock.take(this.options.directory);
    const found = await this.files.newest();
    if (found !== undefined) {
      const read = this.read(found.content, found.name);
      if (read.tornBytes > 0) {
        this.options.logger.warn(
          { segment: found.name, bytes: read.tornBytes },
          "the last commit was cut short by a crash and is dropped; it had not been acknowledged",
        );
      }
      this.facts = read.facts;
      this.sequence = read.sequence;
    }
    this.facts.master = master;
    // A new segment at each start: it cuts off a torn end, forgets history and records the leader, in one atomic step.
    const done = this.options.metrics.store.start();
    await this.beginSegment();
    done();
  }

  private read(content: Buffer, name: string): ReadSegment {
    try {
      return readSegment(content);
    } catch (error) {
      const detail = `${join(this.options.directory, name)}: ${messageOf(error)}`;
      throw new TepuiError("TEPUI_REGISTRY_UNREADABLE", { detail, cause: error });
    }
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
    // What else arrives in this turn of the event loop shares the first sync.
    await new Promise<void>((resolve) => setImmediate(resolve));
    while (this.waiting.length > 0) {
      const batch = this.waiting;
      this.waiting = [];
      await this.commitBatch(batch);
    }
    this.committing = undefined;
  }

  private async commitBatch(batch: readonly Waiting[]): Promise<void> {
    const { clock, metrics, storeTimeout, logger } = this.options;
    const records = batch.flatMap(({ record }) => (record === undefined ? [] : [record]));
    try {
      if (this.failure !== undefined) throw this.failure;
      if (records.length > 0) {
        const done = metrics.store.start();
        await withTimeout(clock, storeTimeout, this.write(records));
        done();
      }
      for (const { resolve } of batch) resolve();
    } catch (error) {
      if (this.failure === undefined) {
        this.failure = new TepuiError("TEPUI_REGISTRY_WRITE_FAILED", {
          detail: `${this.options.directory}: ${messageOf(error)}`,
          cause: error,
        });
        logger.error({ err: this.failure }, "the registry cannot be written and takes no more changes");
      }
      for (const { reject } of batch) reject(this.failure);
    }
    metrics.queued = this.waiting.length;
  }

  /** Must begin synchronously: here the facts are those after the batch, which is what a snapshot has to hold. */
  private async write(records: readonly LogRecord[]): Promise<void> {
    const limit = Math.max(this.options.compactionBytes ?? DEFAULT_COMPACTION_BYTES, 2 * this.snapshotBytes);
    if (this.historyBytes > limit) return this.beginSegment();
    const frame = encodeFrame(++this.sequence, encodeRecords(records));
    this.historyBytes += frame.length;
    return this.files.append(frame);
  }

  private async beginSegment(): Promise<void> {
    const content = newSegment(++this.sequence, this.facts);
    this.snapshotBytes = content.length;
    this.historyBytes = 0;
    return this.files.begin(this.sequence, content);
  }
}
