import type { Clock } from "../contracts/clock.js";
import type { Logger } from "../contracts/logger.js";
import type { RegistryOperation } from "../contracts/registry.js";
import { messageOf, TepuiError } from "../errors/index.js";
import { applyOperation } from "./apply-operation.js";
import type { LogRecord } from "./record.js";
import type { RegistryFacts } from "./registry-facts.js";
import type { RegistryMetrics } from "./registry-metrics.js";
import { withTimeout } from "./with-timeout.js";

export interface WriteQueueOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: RegistryMetrics;
  /** Milliseconds that one write may take. */
  readonly timeout: number;
  /** What stores the records, for errors: `the disk`. */
  readonly by: string;
  /** Where the records are stored, for errors; without credentials. */
  readonly place: string;
  /**
   * Makes the records durable, in order. Its synchronous part sees the facts right after these records, so a snapshot has to be taken
   * there.
   */
  readonly write: (records: readonly LogRecord[]) => Promise<void>;
  /** A write failed, or timed out and may still be running: it should not go any further. */
  readonly broke?: () => void;
}

interface Waiting {
  readonly record: LogRecord | undefined;
  readonly resolve: () => void;
  readonly reject: (error: TepuiError) => void;
}

/**
 * Combines changes that arrive together into one durable write, makes one write at a time, and settles each change when its write is done.
 *
 * After a failed write the stored content is unknown, so all waiting and later changes are rejected with the same
 * TEPUI_REGISTRY_WRITE_FAILED, until `reset`.
 */
export class WriteQueue {
  private waiting: Waiting[] = [];
  private writing: Promise<void> | undefined;
  private broken: TepuiError | undefined;

  constructor(private readonly options: WriteQueueOptions) {}

  get failure(): TepuiError | undefined {
    return this.broken;
  }

  /** Nothing is waiting or being written. */
  get idle(): boolean {
    return this.writing === undefined;
  }

  /** Applies an operation to the facts. Resolves once it is durable, to whether it changed anything; rejects once a write has failed. */
  async apply(facts: RegistryFacts, operation: RegistryOperation): Promise<boolean> {
    if (this.broken !== undefined) throw this.broken;
    const changed = applyOperation(facts, operation);
    if (changed) this.options.metrics.changed(facts);
    // "Nothing to change" may depend on a change that is not durable yet, so this answer has to wait as well.
    else if (this.idle) return false;
    await this.add(changed ? operation : undefined);
    return changed;
  }

  /** Resolves when the record and all before it are durable. Undefined: only waits for the records before. */
  add(record: LogRecord | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      this.waiting.push({ record, resolve, reject });
      this.options.metrics.queued = this.waiting.length;
      this.writing ??= this.writeAll();
    });
  }

  /** Resolves when nothing is waiting any more: after the last write or its timeout. */
  async settled(): Promise<void> {
    while (this.writing !== undefined) await this.writing;
  }

  /** The stored content is known again. */
  reset(): void {
    this.broken = undefined;
  }

  /** Never rejects. */
  private async writeAll(): Promise<void> {
    // Everything that arrives in this turn of the event loop shares the first write.
    await new Promise<void>((resolve) => setImmediate(resolve));
    while (this.waiting.length > 0) {
      const batch = this.waiting;
      this.waiting = [];
      await this.writeBatch(batch);
    }
    this.writing = undefined;
  }

  private async writeBatch(batch: readonly Waiting[]): Promise<void> {
    const { clock, metrics, timeout, by, write } = this.options;
    const records = batch.flatMap(({ record }) => (record === undefined ? [] : [record]));
    try {
      if (this.broken !== undefined) throw this.broken;
      if (records.length > 0) {
        const done = metrics.store.start();
        await withTimeout({ clock, ms: timeout, work: write(records), by });
        done();
      }
      for (const { resolve } of batch) resolve();
    } catch (error) {
      const failure = this.fail(error);
      for (const { reject } of batch) reject(failure);
    }
    metrics.queued = this.waiting.length;
  }

  private fail(error: unknown): TepuiError {
    if (this.broken === undefined) {
      const detail = `${this.options.place}: ${messageOf(error)}`;
      this.broken = new TepuiError("TEPUI_REGISTRY_WRITE_FAILED", { detail, cause: error });
      this.options.broke?.();
      this.options.logger.error(
        { err: this.broken },
        "the registry cannot be written and takes no more changes",
      );
    }
    return this.broken;
  }
}
