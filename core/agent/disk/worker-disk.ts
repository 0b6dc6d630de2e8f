import { Worker } from "node:worker_threads";
import { TepuiError } from "../../../sdk/errors/index.js";
import type { DiskWorkerData } from "./disk-worker.js";
import type { Disk, DiskOperation } from "./operations.js";
import { TreeRemover } from "./tree-remover.js";

interface Group {
  readonly operations: readonly DiskOperation[];
  readonly done: () => void;
  readonly failed: (error: Error) => void;
}

/**
 * A disk on a thread of its own. While a batch is running further groups accumulate, so under load one message carries many of them. The
 * calls on the thread are synchronous, which costs far less than a promise for each.
 */
export class WorkerDisk implements Disk {
  private worker: Worker | undefined;
  private waiting: Group[] = [];
  private underway: Group[] = [];
  private scheduled = false;
  private readonly remover: TreeRemover;

  private readonly workerData: DiskWorkerData;

  /**
   * @param aside directory for trees that are being removed; on the same file system as they are
   * @param anchor a directory that must exist before any other is created; undefined: none
   */
  constructor({ aside, anchor }: { readonly aside: string; readonly anchor?: string }) {
    this.workerData = { anchor };
    this.remover = new TreeRemover({ aside, apply: (operations) => this.apply(operations) });
  }

  discard(path: string, boundary?: string): Promise<void> {
    return this.remover.remove(path, boundary);
  }

  finishDiscard(aside: string): Promise<void> {
    return this.remover.end(aside);
  }

  /** Continues removals that an earlier run did not finish. */
  resumeDiscards(directory?: string): Promise<void> {
    return this.remover.resume(directory);
  }

  apply(operations: readonly DiskOperation[]): Promise<void> {
    if (operations.length === 0) return Promise.resolve();
    return new Promise((done, failed) => {
      this.waiting.push({ operations, done, failed });
      this.schedule();
    });
  }

  /** Resolves when everything requested is done. */
  async stop(): Promise<void> {
    this.remover.stop();
    if (this.waiting.length > 0 || this.underway.length > 0) {
      await new Promise<void>((resolve) => {
        this.waiting.push({ operations: [], done: resolve, failed: () => resolve() });
        this.schedule();
      });
    }
    await this.worker?.terminate();
    this.worker = undefined;
  }

  /** At the end of this turn of the event loop, so that everything requested in it goes together. */
  private schedule(): void {
    if (this.scheduled || this.underway.length > 0) return;
    this.scheduled = true;
    queueMicrotask(() => {
      this.scheduled = false;
      this.post();
    });
  }

  private post(): void {
    if (this.waiting.length === 0 || this.underway.length > 0) return;
    this.underway = this.waiting;
    this.waiting = [];
    this.thread().postMessage(this.underway.map(({ operations }) => operations));
  }

  private thread(): Worker {
    if (this.worker !== undefined) return this.worker;
    const worker = new Worker(new URL("./disk-worker.js", import.meta.url), {
      workerData: this.workerData,
      resourceLimits: { maxYoungGenerationSizeMb: 4, maxOldGenerationSizeMb: 64 },
      // The worker's own options, without those of the daemon, such as source maps.
      execArgv: [],
    });
    worker.on("message", (problems: readonly (string | undefined)[]) => this.finish(problems));
    worker.on("error", (error) => this.lose(worker, error));
    worker.unref();
    this.worker = worker;
    return worker;
  }

  private finish(problems: readonly (string | undefined)[]): void {
    const groups = this.underway;
    this.underway = [];
    for (const [index, group] of groups.entries()) {
      const problem = problems[index];
      if (problem === undefined) group.done();
      else group.failed(new TepuiError("TEPUI_AGENT_DISK_FAILED", { detail: problem }));
    }
    if (this.waiting.length > 0) this.schedule();
  }

  private lose(worker: Worker, error: Error): void {
    if (this.worker !== worker) return;
    this.worker = undefined;
    const groups = this.underway;
    this.underway = [];
    for (const { failed } of groups) {
      failed(new TepuiError("TEPUI_AGENT_DISK_FAILED", { detail: error.message, cause: error }));
    }
    if (this.waiting.length > 0) this.schedule();
  }
}
