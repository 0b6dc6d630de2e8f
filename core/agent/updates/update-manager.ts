import { type StatusUpdate, StatusUpdateRecord_Type } from "../../../proto/gen/mesos/internal/messages.js";
import type { Clock } from "../../../sdk/contracts/clock.js";
import type { Logger } from "../../../sdk/contracts/logger.js";
import { isTerminal } from "../../../sdk/task-states.js";
import { UPDATE_RETRY_MAX, UPDATE_RETRY_MIN } from "../constants.js";
import type { Disk } from "../disk/operations.js";
import type { Allowance } from "../executors/allowance.js";
import { Repairs } from "../repairs.js";
import { encodeRecord } from "./update-record.js";
import { type HeldUpdate, UpdateStream, uuidKey } from "./update-stream.js";

/** A task's file is compacted when it contains this much that is no longer needed. */
const COMPACTED_BYTES = 1024 * 1024;

export interface UpdateManagerOptions {
  readonly clock: Clock;
  readonly disk: Disk;
  readonly logger: Logger;
  /** Sends an update to the master. */
  readonly forward: (update: StatusUpdate) => void;
}

/**
 * - `next`: acknowledged, the stream continues; `closed`: that was the terminal update.
 * - `unknown`: there is no such stream, or another update is in flight; nothing changed.
 */
export type Acknowledged = "next" | "closed" | "unknown";

export interface Acknowledgement {
  readonly frameworkId: string;
  readonly taskId: string;
  readonly uuid: Uint8Array;
}

/**
 * Delivers status updates reliably: written before they are sent (if the framework checkpoints), one in flight per task, resent until
 * acknowledged. Paused while there is no master to send to.
 */
export class UpdateManager {
  private readonly streams = new Map<string, Map<string, UpdateStream>>();
  private paused = true;
  /** Streams, closed ones included, whose file does not have everything. */
  private readonly repairs: Repairs<UpdateStream>;
  /** Acknowledged updates of which nothing could be written, by key: only their sender could tell a later run of the agent. */
  private readonly unsafe = new Map<string, { readonly stream: UpdateStream; readonly held: HeldUpdate }>();

  constructor(private readonly options: UpdateManagerOptions) {
    this.repairs = new Repairs(options.clock, (stream) => void this.compact(stream));
  }

  /**
   * Takes responsibility for an update. Resolves when its sender may forget it because it is written or acknowledged.
   *
   * @param path where the task's updates are written; undefined: nowhere
   * @param over called when it was acknowledged or given up, or was known before
   */
  async update(update: StatusUpdate, path: string | undefined, over = nothing): Promise<void> {
    const stream = this.streamFor(update, path);
    const key = uuidKey(update.uuid);
    if (stream.knows(key)) {
      this.options.logger.debug({ task: stream.taskId }, "ignoring a status update seen before");
      over();
      await new Promise<void>((resolve) => this.whenSafe(update, resolve));
      return;
    }
    if (stream.path === undefined) {
      this.enqueue(stream, hold(stream, { update, key, bytes: 0, over }));
      return;
    }
    const data = updateRecord(update);
    let settle = nothing;
    const settled = new Promise<void>((resolve) => (settle = resolve));
    const held = hold(stream, {
      update,
      key,
      bytes: data.length,
      over: () => {
        over();
        settle();
      },
    });
    const writing = this.options.disk.apply([{ op: "append", path: stream.path, data }]);
    held.safe = writing.catch(() => settled);
    try {
      await writing;
      held.safe = undefined;
    } catch (error) {
      // Better sent without a record than not at all. It is written together with its acknowledgement, and until then the sender keeps it.
      held.unwritten = true;
      this.repairs.later(stream);
      this.options.logger.error(
        { err: error, task: stream.taskId },
        "a status update could not be written down",
      );
    }
    this.enqueue(stream, held);
    await held.safe;
  }

  /** Whether this very update was received before. */
  knows(update: StatusUpdate): boolean {
    return this.streamOf(update)?.knows(uuidKey(update.uuid)) === true;
  }

  /** Calls `safe` when the sender of a known update may forget it: at once if it is written. */
  whenSafe(update: StatusUpdate, safe: () => void): void {
    const key = uuidKey(update.uuid);
    const held = this.streamOf(update)?.held.get(key) ?? this.unsafe.get(key)?.held;
    if (held?.safe === undefined) safe();
    else void held.safe.then(safe);
  }

  private streamOf(update: StatusUpdate): UpdateStream | undefined {
    return this.streams.get(update.framework_id!.value!)?.get(update.status!.task_id!.value!);
  }

  /** Whether the framework has unacknowledged updates. */
  hasPending(frameworkId: string): boolean {
    return this.streams.has(frameworkId);
  }

  acknowledge({ frameworkId, taskId, uuid }: Acknowledgement): Acknowledged {
    const stream = this.streams.get(frameworkId)?.get(taskId);
    const oldest = stream?.oldest;
    if (stream === undefined || oldest === undefined || oldest.key !== uuidKey(uuid)) return "unknown";
    // Later updates may be written already; this one belongs before them.
    const isBehind =
      oldest.unwritten === true && [...stream.held.values()].some((one) => one.unwritten !== true);
    stream.pending.shift();
    stream.acknowledged(oldest);
    if (stream.path !== undefined) {
      const { update, unwritten } = oldest;
      const records = [...(unwritten === true ? [updateRecord(update)] : []), acknowledgementRecord(update)];
      if (unwritten === true) this.unsafe.set(oldest.key, { stream, held: oldest });
      else oldest.over();
      const append = async (): Promise<void> => {
        if (await this.append(stream, records)) this.written([oldest]);
      };
      void this.noteAcknowledgement(stream, isBehind ? () => this.compact(stream) : append);
    } else oldest.over();
    stream.stopRetry();
    if (isTerminal(oldest.update.status?.state)) {
      this.close(stream);
      return "closed";
    }
    if (stream.obsolete > COMPACTED_BYTES) void this.compact(stream);
    this.sendOldest(stream);
    return "next";
  }

  /**
   * The next update is sent once this is written: a scheduler that has acknowledged a later update must never get an earlier one again. If
   * the record is lost, the same update is sent, and acknowledged, once more.
   */
  private async noteAcknowledgement(stream: UpdateStream, write: () => Promise<void>): Promise<void> {
    stream.acknowledging++;
    await write();
    stream.acknowledging--;
    const current = this.streams.get(stream.frameworkId)?.get(stream.taskId) === stream;
    if (current && stream.retry === undefined) this.sendOldest(stream);
  }

  /** False: it could not be written, and is written later. Never rejects. */
  private async append(stream: UpdateStream, records: readonly Uint8Array[]): Promise<boolean> {
    const { disk, logger } = this.options;
    try {
      await disk.apply([{ op: "append", path: stream.path!, data: Buffer.concat(records) }]);
      return true;
    } catch (error) {
      logger.error({ err: error, task: stream.taskId }, "an acknowledgement could not be written down");
      this.repairs.later(stream);
      return false;
    }
  }

  private written(updates: Iterable<HeldUpdate>): void {
    for (const { key, over } of updates) if (this.unsafe.delete(key)) over();
  }

  /** The acknowledged updates of these streams of which nothing is written. */
  private unsafeOf(isMeant: (stream: UpdateStream) => boolean): HeldUpdate[] {
    return [...this.unsafe.values()].filter(({ stream }) => isMeant(stream)).map(({ held }) => held);
  }

  /** Rewrites a task's file with what is still needed, because a task can have any number of updates. Never rejects. */
  private async compact(stream: UpdateStream): Promise<void> {
    if (stream.path === undefined) return;
    const { disk, logger } = this.options;
    stream.obsolete = 0;
    const records = [...stream.history()].flatMap((update) => [
      updateRecord(update),
      acknowledgementRecord(update),
    ]);
    // Includes those that are being written: they may reach the file before it is replaced by this one.
    const held = [...stream.held.values()];
    const unsafe = this.unsafeOf((one) => one === stream);
    for (const { update } of held) records.push(updateRecord(update));
    // The directory of a task that has ended may be removed by now. The file alone would make no sense there.
    const unlessGone = this.streams.get(stream.frameworkId)?.get(stream.taskId) !== stream;
    try {
      await disk.apply([{ op: "write", path: stream.path, data: Buffer.concat(records), unlessGone }]);
      for (const one of held) one.unwritten = false;
      this.written(unsafe);
    } catch (error) {
      logger.error({ err: error, task: stream.taskId }, "a task's updates could not be written anew");
      this.repairs.later(stream);
    }
  }

  /** The agent is stopping. */
  stop(): void {
    this.pause();
    this.repairs.stop();
  }

  /** Takes over a stream that an earlier run of the agent wrote. */
  recover(options: {
    frameworkId: string;
    taskId: string;
    path: string;
    updates: readonly StatusUpdate[];
    acknowledged: ReadonlySet<string>;
    /** Allowance of the executor that sent the updates. */
    allowance: Allowance;
  }): void {
    const stream = new UpdateStream(options.frameworkId, options.taskId, options.path);
    let closed = false;
    // Updates are acknowledged in order: all before this one were, even if that could not be written.
    const last = options.updates.findLastIndex(({ uuid }) => options.acknowledged.has(uuidKey(uuid)));
    for (const [index, update] of options.updates.entries()) {
      const key = uuidKey(update.uuid);
      const bytes = updateRecord(update).length;
      if (index <= last) {
        stream.acknowledged({ update, key, bytes });
        closed ||= isTerminal(update.status?.state);
      } else if (!stream.knows(key)) {
        stream.pending.push(hold(stream, { update, key, bytes, over: options.allowance.hold(bytes) }));
      }
    }
    if (closed || options.updates.length === 0) stream.giveUp();
    else this.addStream(stream);
  }

  pause(): void {
    this.paused = true;
    for (const stream of this.all()) stream.stopRetry();
  }

  /** Resends the oldest update of each task. */
  resume(): void {
    this.paused = false;
    for (const stream of this.all()) {
      stream.stopRetry();
      this.sendOldest(stream);
    }
  }

  /** Gives up a framework's updates. */
  forget(frameworkId: string): void {
    const streams = this.streams.get(frameworkId);
    this.streams.delete(frameworkId);
    this.repairs.forget((stream) => stream.frameworkId === frameworkId);
    for (const stream of streams?.values() ?? []) stream.giveUp();
    this.written(this.unsafeOf((stream) => stream.frameworkId === frameworkId));
  }

  private *all(): Iterable<UpdateStream> {
    for (const streams of this.streams.values()) yield* streams.values();
  }

  private enqueue(stream: UpdateStream, held: HeldUpdate): void {
    // Its framework was removed during the write.
    if (this.streams.get(stream.frameworkId)?.get(stream.taskId) !== stream) return;
    stream.pending.push(held);
    if (stream.pending.length === 1) this.sendOldest(stream);
  }

  private sendOldest(stream: UpdateStream, wait = UPDATE_RETRY_MIN): void {
    const update = stream.oldest?.update;
    if (this.paused || update === undefined || stream.acknowledging > 0) return;
    stream.retry = this.options.clock.setTimeout(() => {
      this.options.logger.warn({ task: stream.taskId }, "sending a status update again");
      this.sendOldest(stream, Math.min(2 * wait, UPDATE_RETRY_MAX));
    }, wait);
    this.options.forward(update);
  }

  private streamFor(update: StatusUpdate, path: string | undefined): UpdateStream {
    const frameworkId = update.framework_id!.value!;
    const taskId = update.status!.task_id!.value!;
    const known = this.streams.get(frameworkId)?.get(taskId);
    if (known !== undefined) return known;
    const stream = new UpdateStream(frameworkId, taskId, path);
    this.addStream(stream);
    return stream;
  }

  private addStream(stream: UpdateStream): void {
    let streams = this.streams.get(stream.frameworkId);
    if (streams === undefined) {
      streams = new Map();
      this.streams.set(stream.frameworkId, streams);
    }
    streams.set(stream.taskId, stream);
  }

  private close(stream: UpdateStream): void {
    const streams = this.streams.get(stream.frameworkId);
    streams?.delete(stream.taskId);
    if (streams?.size === 0) this.streams.delete(stream.frameworkId);
    stream.giveUp();
  }
}

const nothing = (): void => undefined;

function hold(stream: UpdateStream, held: HeldUpdate): HeldUpdate {
  stream.held.set(held.key, held);
  return held;
}

const updateRecord = (update: StatusUpdate): Uint8Array =>
  encodeRecord({ type: StatusUpdateRecord_Type.UPDATE, update });

const acknowledgementRecord = ({ uuid }: StatusUpdate): Uint8Array =>
  encodeRecord({ type: StatusUpdateRecord_Type.ACK, uuid });
