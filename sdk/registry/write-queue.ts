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
  /** Who stores, for errors: `the disk`. */
  readonly by: string;
  /** What is written to, for errors; without credentials. */
  readonly place: string;
  /**
   * Makes the records durable, in their order. Its synchronous part sees the facts as they are after these records: what a snapshot
   * has to hold is taken there.
   */
  readonly write: (records: readonly LogRecord[]) => Promise<void>;
  /** A write failed, or took too long and may be under way still: nothing of it should go on. */
  readonly broke?: () => void;
}

interface Waiting {
  readonly record: LogRecord | undefined;
  readonly resolve: () => void;
  readonly reject: (error: TepuiError) => void;
}

/**
 * Puts changes that arrive together into one durable write, one write at a time, and answers each when its write is done.
 *
 * After a failed write nothing is known of what is stored, so everything that waits and everything later is rejected with the same
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

  /** Nothing waits, nothing is being written. */
  get idle(): boolean {
    return this.writing === undefined;
  }

  /** Applies an operation to the facts. Resolves, when that is durable, to whether it changed anything; rejects once a write has failed. */
  async apply(facts: RegistryFacts, operation: RegistryOperation): Promise<boolean> {
    if (this.broken !== undefined) throw this.broken;
    const changed = applyOperation(facts, operation);
    if (changed) this.options.metrics.changed(facts);
    // "Nothing to change" may rest on a change that is not durable yet; so that answer waits, too.
    else if (this.idle) return false;
    await this.add(changed ? operation : undefined);
    return changed;
  }

  /** Resolves when the record, and all before it, are durable. Undefined: there is only something to wait for. */
  add(record: LogRecord | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      this.waiting.push({ record, resolve, reject });
      this.options.metrics.queued = this.waiting.length;
      this.writing ??= this.writeAll();
    });
  }

  /** Resolves when nothing waits any more: after the last write, or its timeout. */
  async settled(): Promise<void> {
    while (this.writing !== undefined) await this.writing;
  }

  /** What is stored is known again. */
  reset(): void {
    this.broken = undefined;
  }

  /** Never rejects. */
  private async writeAll(): Promise<void> {
    // What else arrives in this turn of the event loop shares the first write.
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
