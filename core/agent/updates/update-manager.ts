import { type StatusUpdate, StatusUpdateRecord_Type } from "../../../proto/gen/mesos/internal/messages.js";
import type { Clock } from "../../../sdk/contracts/clock.js";
import type { Logger } from "../../../sdk/contracts/logger.js";
import { isTerminal } from "../../../sdk/task-states.js";
import { UPDATE_RETRY_MAX, UPDATE_RETRY_MIN } from "../constants.js";
import type { Disk } from "../disk/operations.js";
import { encodeRecord } from "./update-record.js";
import { UpdateStream, uuidKey } from "./update-stream.js";

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

  constructor(private readonly options: UpdateManagerOptions) {}

  /**
   * Takes an update over. Resolves when it is safe with us, so that its sender may forget it; at once for one seen before.
   *
   * @param path where the task's updates are written down; undefined: nowhere
   */
  async update(update: StatusUpdate, path: string | undefined): Promise<void> {
    const stream = this.streamFor(update, path);
    const key = uuidKey(update.uuid);
    if (stream.received.has(key)) {
      this.options.logger.debug({ task: stream.taskId }, "ignoring a status update seen before");
      return;
    }
    stream.received.add(key);
    if (stream.path === undefined) {
      this.enqueue(stream, update);
      return;
    }
    const data = encodeRecord({ type: StatusUpdateRecord_Type.UPDATE, update });
    const written = this.options.disk.apply([{ op: "append", path: stream.path, data }]);
    stream.writing.set(key, written);
    try {
      await written;
    } catch (error) {
      // Better told without a record than not told: it is lost only if the agent dies before the acknowledgement, with which it is
      // written once more.
      stream.unwritten.add(key);
      this.options.logger.error(
        { err: error, task: stream.taskId },
        "a status update could not be written down",
      );
    }
    stream.writing.delete(key);
    this.enqueue(stream, update);
  }

  /** Whether this very update was taken before. */
  knows(update: StatusUpdate): boolean {
    return this.streamOf(update)?.received.has(uuidKey(update.uuid)) === true;
  }

  /** Calls when an update that was taken before may be forgotten by its sender: at once, unless it is just being written down. */
  whenSafe(update: StatusUpdate, safe: () => void): void {
    const writing = this.streamOf(update)?.writing.get(uuidKey(update.uuid));
    if (writing === undefined) safe();
    // Where it cannot be written down it is told without.
    else void writing.catch(() => undefined).then(safe);
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
    if (stream === undefined || oldest === undefined || uuidKey(oldest.uuid) !== uuidKey(uuid))
      return "unknown";
    if (stream.path !== undefined) {
      const acknowledgement = encodeRecord({ type: StatusUpdateRecord_Type.ACK, uuid: Buffer.from(uuid) });
      const data = stream.unwritten.delete(uuidKey(uuid))
        ? Buffer.concat([
            encodeRecord({ type: StatusUpdateRecord_Type.UPDATE, update: oldest }),
            acknowledgement,
          ])
        : acknowledgement;
      this.noteAcknowledgement(stream, data);
    }
    stream.acknowledged.add(uuidKey(uuid));
    stream.pending.shift();
    stream.stopRetry();
    if (isTerminal(oldest.status?.state)) {
      this.close(stream);
      return "closed";
    }
    this.sendOldest(stream);
    return "next";
  }

  /**
   * The next update is sent when this is written down: a scheduler that has acknowledged a later one must never get an earlier one again.
   * If the record is lost the same update is sent once more, and acknowledged once more.
   */
  private noteAcknowledgement(stream: UpdateStream, data: Uint8Array): void {
    const { disk, logger } = this.options;
    stream.acknowledging++;
    disk
      .apply([{ op: "append", path: stream.path!, data }])
      .catch((error: unknown) =>
        logger.error({ err: error, task: stream.taskId }, "an acknowledgement could not be written down"),
      )
      .finally(() => {
        stream.acknowledging--;
        const current = this.streams.get(stream.frameworkId)?.get(stream.taskId) === stream;
        if (current && stream.retry === undefined) this.sendOldest(stream);
      });
  }

  /** Takes up a stream that an earlier run of the agent wrote. */
  recover(options: {
    frameworkId: string;
    taskId: string;
    path: string;
    updates: readonly StatusUpdate[];
    acknowledged: ReadonlySet<string>;
  }): void {
    const stream = new UpdateStream(options.frameworkId, options.taskId, options.path);
    let closed = false;
    for (const update of options.updates) {
      const key = uuidKey(update.uuid);
      stream.received.add(key);
      if (options.acknowledged.has(key)) {
        stream.acknowledged.add(key);
        closed ||= isTerminal(update.status?.state);
      } else {
        stream.pending.push(update);
      }
    }
    if (!closed && options.updates.length > 0) this.put(stream);
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
    for (const stream of this.streams.get(frameworkId)?.values() ?? []) stream.stopRetry();
    this.streams.delete(frameworkId);
  }

  private *all(): Iterable<UpdateStream> {
    for (const streams of this.streams.values()) yield* streams.values();
  }

  private enqueue(stream: UpdateStream, update: StatusUpdate): void {
    // Its framework was removed while it was being written down.
    if (this.streams.get(stream.frameworkId)?.get(stream.taskId) !== stream) return;
    stream.pending.push(update);
    if (stream.pending.length === 1) this.sendOldest(stream);
  }

  private sendOldest(stream: UpdateStream, wait = UPDATE_RETRY_MIN): void {
    const update = stream.oldest;
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
  }
}
