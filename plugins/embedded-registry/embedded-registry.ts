import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Registry as RegistryState } from "../../proto/gen/mesos/internal/registry.js";
import type { MasterInfo } from "../../proto/gen/mesos/v1/mesos.js";
import type { Clock } from "../../sdk/contracts/clock.js";
import type { Logger } from "../../sdk/contracts/logger.js";
import type { Registry, RegistryOperation } from "../../sdk/contracts/registry.js";
import { messageOf, TepuiError } from "../../sdk/errors/index.js";
import { DirectoryLock, restoringBeside } from "../../sdk/files/index.js";
import {
  emptyFacts,
  encodeRecords,
  type LogRecord,
  type RegistryFacts,
  type RegistryMetrics,
  stateOf,
  WriteQueue,
  withTimeout,
} from "../../sdk/registry/index.js";
import { encodeFrame } from "./frame.js";
import { newSegment } from "./segment.js";
import { readNamed, SegmentDirectory } from "./segment-directory.js";

/** Access to the segment files. */
export type SegmentFiles = Pick<SegmentDirectory, "create" | "newest" | "begin" | "append" | "close">;

export interface EmbeddedRegistryOptions {
  /** A directory for the registry alone; created when missing. */
  readonly directory: string;
  /** Default: the files of that directory. */
  readonly files?: SegmentFiles;
  /** Keeps other processes out of the directory. Default: a lock file in it. */
  readonly takeLock?: () => Promise<Pick<DirectoryLock, "release">>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: RegistryMetrics;
  /** Milliseconds. */
  readonly fetchTimeout: number;
  readonly storeTimeout: number;
  /** Once a segment has grown by this many bytes, and most of it is history, a new one replaces it. */
  readonly compactionBytes?: number;
}

const DISK = "the disk";
const DEFAULT_COMPACTION_BYTES = 4 * 1024 * 1024;

/**
 * A registry in files below the master's work directory. Changes take effect in memory at once and are acknowledged once they are on disk.
 * Changes that arrive during a commit go into the next one, so that many of them share one sync.
 *
 * After a failed write the content of the disk is unknown, so no further change is accepted: the master has to restart.
 */
export class EmbeddedRegistry implements Registry {
  private readonly files: SegmentFiles;
  private lock: Pick<DirectoryLock, "release"> | undefined;
  private facts: RegistryFacts = emptyFacts();
  private sequence = 0n;
  private snapshotBytes = 0;
  private historyBytes = 0;
  private readonly queue: WriteQueue;
  private state: "new" | "open" | "closed" = "new";

  constructor(private readonly options: EmbeddedRegistryOptions) {
    this.files = options.files ?? new SegmentDirectory(options.directory);
    this.queue = new WriteQueue({
      ...options,
      timeout: options.storeTimeout,
      by: DISK,
      place: options.directory,
      write: (records) => this.write(records),
    });
  }

  get recovered(): boolean {
    return this.state === "open";
  }

  /** Finds out, before this master leads, whether there can be a directory. Rejects with an Error that says what to do. */
  async prepare(): Promise<void> {
    try {
      await this.files.create();
    } catch (cause) {
      const { directory } = this.options;
      throw new Error(
        `--work_dir: cannot make '${directory}': ${messageOf(cause)}; name a directory that the master's user may write to`,
        { cause },
      );
    }
  }

  async recover(master: MasterInfo): Promise<RegistryState> {
    if (this.state === "open") {
      this.facts.master = master;
      await this.queue.add({ kind: "master", master });
      return stateOf(this.facts);
    }
    const done = this.options.metrics.fetch.start();
    const attempt = { over: false };
    try {
      const { clock, fetchTimeout: ms } = this.options;
      await withTimeout({ clock, ms, work: this.load(master, attempt), by: DISK });
    } catch (error) {
      attempt.over = true;
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
    return this.queue.apply(this.facts, operation);
  }

  async peek(): Promise<RegistryState | undefined> {
    return this.state === "open" ? stateOf(this.facts) : undefined;
  }

  /** Waits for the write in progress and closes the files. */
  async close(): Promise<void> {
    if (this.state === "closed") return;
    this.state = "closed";
    await this.queue.settled();
    await this.release();
  }

  private async release(): Promise<void> {
    await this.files.close();
    await this.lock?.release();
  }

  /** @param attempt `over` once the caller has stopped waiting: from then on this must leave nothing behind */
  private async load(master: MasterInfo, attempt: { readonly over: boolean }): Promise<void> {
    await this.files.create();
    const { directory, takeLock = () => DirectoryLock.take(directory) } = this.options;
    const lock = await takeLock();
    if (attempt.over) return lock.release();
    this.lock = lock;
    const found = await this.files.newest();
    if (attempt.over) return;
    if (found !== undefined) {
      const read = readNamed(join(this.options.directory, found.name), found.content);
      if (read.tornBytes > 0) {
        this.options.logger.warn(
          { segment: found.name, bytes: read.tornBytes },
          "the last commit was cut short by a crash and is dropped; it had not been acknowledged",
        );
      }
      this.facts = read.facts;
      this.sequence = read.sequence;
    } else {
      this.refuseUnfinishedRestore();
      this.noteMesosLog();
    }
    this.facts.master = master;
    // Each start begins a new segment: in one atomic step that cuts off a torn end, drops history and records the leader.
    const done = this.options.metrics.store.start();
    try {
      await this.beginSegment();
    } catch (error) {
      // The existing segments are intact, so the registry is not unreadable.
      const detail = `${this.options.directory}: ${messageOf(error)}`;
      throw new TepuiError("TEPUI_REGISTRY_WRITE_FAILED", { detail, cause: error });
    }
    done();
  }

  private refuseUnfinishedRestore(): void {
    const restoring = restoringBeside(this.options.directory);
    if (!existsSync(restoring)) return;
    throw new Error(
      `a restore of it did not come to its end; repeat it (tepui restore), or remove ${restoring} to begin with an empty registry`,
    );
  }

  /** Agents re-register without the old registry, but what operators decided would be forgotten without notice. */
  private noteMesosLog(): void {
    const replicatedLog = join(dirname(this.options.directory), "replicated_log");
    if (!existsSync(replicatedLog)) return;
    this.options.logger.warn(
      { replicatedLog },
      "beginning with an empty registry: Mesos's replicated log is not read. Agents are admitted again under their ids; quotas, weights, maintenance, and agents that are gone, drained or deactivated are not known. To take these along, start the Mesos master again, and use tepui backup http://... and tepui restore",
    );
  }

  /** Must start synchronously: only then are the facts those right after the batch, which is what a snapshot has to contain. */
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
