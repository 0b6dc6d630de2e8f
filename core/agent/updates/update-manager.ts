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

/** A task's file is written anew when it has this much that nobody needs. */
const COMPACTED_BYTES = 1024 * 1024;

export interface UpdateManagerOptions {
  readonly clock: Clock;
  readonly disk: Disk;
  readonly logger: Logger;
  /** Sends an update to the master. */
  readonly forward: (update: StatusUpdate) => void;
}

/**
 * - `next`: acknowledged, the stream goes on; `closed`: that was the terminal one.
 * - `unknown`: no such stream, or not the update that is waited for; nothing changed.
 */
export type Acknowledged = "next" | "closed" | "unknown";

export interface Acknowledgement {
  readonly frameworkId: string;
  readonly taskId: string;
  readonly uuid: Uint8Array;
}

/**
 * Delivers status updates reliably: written down before they are sent (where the framework checkpoints), one in flight for a task,
 * sent again until they are acknowledged. Paused while there is no master to send to.
 */
export class UpdateManager {
  private readonly streams = new Map<string, Map<string, UpdateStream>>();
  private paused = true;
  /** What is written down of them is not all that there is to be known; also of those that are closed. */
  private readonly repairs: Repairs<UpdateStream>;

  constructor(private readonly options: UpdateManagerOptions) {
    this.repairs = new Repairs(options.clock, (stream) => void this.compact(stream));
  }

  /**
   * Takes an update over. Resolves when its sender may forget it: it is written down, or acknowledged; at once for one seen before.
   *
   * @param path where the task's updates are written down; undefined: nowhere
   * @param over called when it was acknowledged or given up, or was seen before
   */
  async update(update: StatusUpdate, path: string | undefined, over = nothing): Promise<void> {
    const stream = this.streamFor(update, path);
    const key = uuidKey(update.uuid);
    if (stream.knows(key)) {
      this.options.logger.debug({ task: stream.taskId }, "ignoring a status update seen before");
      over();
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
      // Better told without a record than not told: it is written once more with its acknowledgement, and until then its sender keeps it.
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

  /** Whether this very update was taken before. */
  knows(update: StatusUpdate): boolean {
    return this.streamOf(update)?.knows(uuidKey(update.uuid)) === true;
  }

  /** Calls when an update that was taken before may be forgotten by its sender: at once, where it is written down. */
  whenSafe(update: StatusUpdate, safe: () => void): void {
    const held = this.streamOf(update)?.held.get(uuidKey(update.uuid));
    if (held?.safe === undefined) safe();
    else void held.safe.then(safe);
  }

  private streamOf(update: StatusUpdate): UpdateStream | undefined {
    return this.streams.get(update.framework_id!.value!)?.get(update.status!.task_id!.value!);
  }

  /** Whether something of the framework is not acknowledged yet. */
  hasPending(frameworkId: string): boolean {
    return this.streams.has(frameworkId);
  }

  acknowledge({ frameworkId, taskId, uuid }: Acknowledgement): Acknowledged {
    const stream = this.streams.get(frameworkId)?.get(taskId);
    const oldest = stream?.oldest;
    if (stream === undefined || oldest === undefined || oldest.key !== uuidKey(uuid)) return "unknown";
    // Later ones may be written down, which it is to stand before.
    const isBehind =
      oldest.unwritten === true && [...stream.held.values()].some((one) => one.unwritten !== true);
    stream.pending.shift();
    stream.acknowledged(oldest);
    if (stream.path !== undefined) {
      const { update, unwritten } = oldest;
      const records = [...(unwritten === true ? [updateRecord(update)] : []), acknowledgementRecord(update)];
      const noted = this.noteAcknowledgement(
        stream,
        isBehind ? () => this.compact(stream) : () => this.append(stream, records),
      );
      // Until then its sender alone could tell a later run of the agent.
      if (unwritten === true) void noted.then(oldest.over);
      else oldest.over();
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
   * The next update is sent when this is written down: a scheduler that has acknowledged a later one must never get an earlier one again.
   * If the record is lost the same update is sent once more, and acknowledged once more.
   */
  private async noteAcknowledgement(stream: UpdateStream, write: () => Promise<void>): Promise<void> {
    stream.acknowledging++;
    await write();
    stream.acknowledging--;
    const current = this.streams.get(stream.frameworkId)?.get(stream.taskId) === stream;
    if (current && stream.retry === undefined) this.sendOldest(stream);
  }

  /** Never rejects: what could not be written is written later. */
  private async append(stream: UpdateStream, records: readonly Uint8Array[]): Promise<void> {
    const { disk, logger } = this.options;
    try {
      await disk.apply([{ op: "append", path: stream.path!, data: Buffer.concat(records) }]);
    } catch (error) {
      logger.error({ err: error, task: stream.taskId }, "an acknowledgement could not be written down");
      this.repairs.later(stream);
    }
  }

  /** Writes a task's file anew, with what is still needed of it: a task may be told of without end. Never rejects. */
  private async compact(stream: UpdateStream): Promise<void> {
    if (stream.path === undefined) return;
    const { disk, logger } = this.options;
    stream.obsolete = 0;
    const records = [...stream.history()].flatMap((update) => [
      updateRecord(update),
      acknowledgementRecord(update),
    ]);
    // Those that are just being written, too: they may be in the file by the time when it gives way to this one.
    const held = [...stream.held.values()];
    for (const { update } of held) records.push(updateRecord(update));
    // What is written of a task that is over may be removed by now, with the run that it was in: nobody could make sense of this alone.
    const unlessGone = this.streams.get(stream.frameworkId)?.get(stream.taskId) !== stream;
    try {
      await disk.apply([{ op: "write", path: stream.path, data: Buffer.concat(records), unlessGone }]);
      for (const one of held) one.unwritten = false;
    } catch (error) {
      logger.error({ err: error, task: stream.taskId }, "a task's updates could not be written anew");
      this.repairs.later(stream);
    }
  }

  /** The agent ends. */
  stop(): void {
    this.pause();
    this.repairs.stop();
  }

  /** Takes up a stream that an earlier run of the agent wrote. */
  recover(options: {
    frameworkId: string;
    taskId: string;
    path: string;
    updates: readonly StatusUpdate[];
    acknowledged: ReadonlySet<string>;
    /** Of the executor that reported them. */
    allowance: Allowance;
  }): void {
    const stream = new UpdateStream(options.frameworkId, options.taskId, options.path);
    let closed = false;
    // They are acknowledged in their order: before this one all were, though it may not have been possible to write that down.
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
    else this.put(stream);
  }

  pause(): void {
    this.paused = true;
    for (const stream of this.all()) stream.stopRetry();
  }

  /** Sends the oldest update of each task again. */
  resume(): void {
    this.paused = false;
    for (const stream of this.all()) {
      stream.stopRetry();
      this.sendOldest(stream);
    }
  }

  /** Gives a framework's updates up. */
  forget(frameworkId: string): void {
    const streams = this.streams.get(frameworkId);
    this.streams.delete(frameworkId);
    this.repairs.forget((stream) => stream.frameworkId === frameworkId);
    for (const stream of streams?.values() ?? []) stream.giveUp();
  }

  private *all(): Iterable<UpdateStream> {
    for (const streams of this.streams.values()) yield* streams.values();
  }

  private enqueue(stream: UpdateStream, held: HeldUpdate): void {
    // Its framework was removed while it was being written down.
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
    this.put(stream);
    return stream;
  }

  private put(stream: UpdateStream): void {
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
